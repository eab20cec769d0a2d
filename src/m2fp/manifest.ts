/** `m2fp.json`: what a converted model is, beside its `model.onnx` and `model.onnx.data`. */
import type { HyperParameters } from './hyper-parameters.ts';
import type { Int8Origin } from './int8-origin.ts';

/** Several people, each with their parts, or one person's label map. */
export type ModelKind = 'multi' | 'single';

/** What a checkpoint is converted to: weights are stored in this precision, the arithmetic is float32. */
export const FLOAT_PRECISIONS = ['fp32', 'fp16'] as const;
export type FloatPrecision = (typeof FLOAT_PRECISIONS)[number];

/** `int8`: made of a converted model; parts of the arithmetic are on whole numbers. */
export const PRECISIONS = [...FLOAT_PRECISIONS, 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/**
 * The operators in which the encoder takes values from between the cells of a map: ONNX's DeformConv, the fastest in
 * onnxruntime, or GridSample, which more engines know.
 */
export const OPERATORS = ['deform-conv', 'grid-sample'] as const;
export type Operators = (typeof OPERATORS)[number];

/**
 * How a picture becomes the network's input (sizes in pixels).
 * `short-side`: scaled so that its shorter side is `shortSide`, unless the longer would pass `longSide`.
 * `canvas`: shrunk to fit into `width` x `height`, never enlarged, and centred on a canvas of grey `pad`.
 */
export type InputRule =
  | { kind: 'short-side'; shortSide: number; longSide: number }
  | { kind: 'canvas'; width: number; height: number; pad: number };

export interface ModelManifest {
  /** Version of this file's layout. */
  format: 1;
  /** What the user calls the model: a ModelScope id, or the folder's name. */
  id: string;
  /**
   * SHA-256 over the model files' digests, labels, input rule and thresholds: equal digests give equal results. It is
   * computed when a manifest is read; what the file says is for people.
   */
  digest: string;
  kind: ModelKind;
  /** Label index -> name; for `multi` the last one is the whole person ("Human"). */
  labels: string[];
  /** Index of the whole-person label, null for `single`. */
  humanIndex: number | null;
  input: InputRule;
  /** ModelScope's `parsing_ins_score_thr`: candidates below it do not enter the label map. */
  scoreThreshold: number;
  /**
   * A candidate enters the label map where sigmoid(mask logit) * score is above this; absent: 0.5, which M2FP's code
   * has as a constant. Of a model whose scores are probabilities 0.5 leaves out too much.
   */
  mapConfidence?: number;
  precision: Precision;
  /** Absent: `deform-conv`. */
  operators?: Operators;
  /** Of an `int8` model. */
  int8?: Int8Origin;
  hyperParameters: HyperParameters;
  files: Record<'model.onnx' | 'model.onnx.data', { size: number; sha256: string }>;
  /** What is wrong with the weights, in words: some are no numbers. Absent where nothing is. */
  warnings?: string[];
  /** Where the weights came from. */
  source: { file: string; size: number; sha256: string; configuration: boolean };
  converter: { name: string; version: string; opset: number };
}
