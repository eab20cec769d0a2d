/** From a PyTorch checkpoint to a model folder that the engine runs. */
import { readdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { isArchiveName, isShardName, JOIN_SHARDS } from '../checkpoint/format.ts';
import { openCheckpoint, type Checkpoint, type WeightsChoice } from '../checkpoint/index.ts';
import { M2fpError } from '../errors.ts';
import { readConfiguration, type ModelConfiguration } from '../m2fp/configuration.ts';
import { FORMULATIONS } from '../m2fp/formulations/index.ts';
import { inferHyperParameters } from '../m2fp/infer-hyper-parameters.ts';
import { modelLabels, type LabelOverrides } from '../m2fp/labels.ts';
import type { InputRule, ModelKind, ModelManifest, FloatPrecision, Operators } from '../m2fp/manifest.ts';
import { buildNetwork } from '../m2fp/network.ts';
import type { Origins } from '../m2fp/origin.ts';
import { writeModel } from '../onnx/write.ts';
import { whole } from '../parsing/options/option-table.ts';
import { throwIfCancelled } from './cancel.ts';
import { sha256File } from './digest.ts';
import { watchFinite } from './finite.ts';
import { modelDigest } from './manifest.ts';
import { MANIFEST_FILE } from './names.ts';
import type { Into } from './one-job.ts';
import { writeBeside } from './write-beside.ts';

/** The names under which checkpoints are published, the first one found is taken. */
export const CHECKPOINT_FILES = [
  'pytorch_model.pt',
  'pytorch_model.bin',
  'model_final.pth',
  'model.safetensors',
];

/** detectron2's test sizes, which M2FP's training configurations keep. */
const MULTI_INPUT: InputRule = { kind: 'short-side', shortSide: 640, longSide: 1333 };
/** What a side of the input may be, pixels. */
export const INPUT_SIDE = whole(32, 4096, null);
/** LIP's canvas, and the grey that ModelScope pads with. */
const SINGLE_CANVAS: [number, number] = [384, 512];
const CANVAS_PAD = 128;
/** ModelScope's default of parsing_ins_score_thr. */
const SCORE_THRESHOLD = 0.5;

export interface ConvertOptions extends LabelOverrides {
  /** A folder with a checkpoint (and `configuration.json`), or a checkpoint file. */
  source: string;
  /** The folder to make; a model that it holds is replaced. */
  out: string;
  /** The model's name; default: the name of the source folder. */
  id?: string;
  precision?: FloatPrecision;
  /** Default: `deform-conv`. */
  operators?: Operators;
  /** Which weights, where the checkpoint has both: those of the last step (default) or their running average. */
  weights?: WeightsChoice;
  /** For multi-human models: the sizes that pictures are scaled to, pixels. */
  shortSide?: number;
  longSide?: number;
  /** Share of the weights written, 0 to 1. */
  onProgress?: (share: number) => void;
  /** Heard between two tensors. */
  signal?: AbortSignal;
}

export interface Conversion {
  manifest: ModelManifest;
  /** What a user should know: where configuration and tensors disagree, what was left out or assumed. */
  warnings: string[];
  /** Where each hyper-parameter (`decoder.heads`) and `kind`, `labels`, `humanIndex` come from. */
  origins: Origins;
}

/**
 * Converts a checkpoint. The model is written beside `out` and moved there when it is whole.
 * @throws M2fpError M2FP_MODEL_NOT_FOUND, M2FP_CHECKPOINT_INVALID, M2FP_BAD_OPTION, M2FP_CANCELLED
 */
export async function convertCheckpoint(options: ConvertOptions): Promise<Conversion> {
  // A source that is not there is said to be missing before anything is made.
  await locateCheckpoint(options.source);
  return writeBeside(options.out, options.signal, (into) => convertInto({ ...options, into }));
}

/**
 * Does the work of {@link convertCheckpoint} for who moves the model to `out`.
 * @throws as {@link convertCheckpoint} does
 */
export async function convertInto({ into, ...options }: Into<ConvertOptions>): Promise<Conversion> {
  const { file, configurationFile, name } = await locateCheckpoint(options.source);
  const configuration = await readConfiguration(configurationFile);
  const checkpoint = await openCheckpoint(file, options.weights);
  try {
    return await convertOpened(into, checkpoint, configuration, { ...options, id: options.id ?? name });
  } finally {
    await checkpoint.close();
  }
}

async function convertOpened(
  folder: string,
  source: Checkpoint,
  configuration: ModelConfiguration | undefined,
  options: ConvertOptions & { id: string },
): Promise<Conversion> {
  const checkpoint = watchFinite(source);
  const { precision = 'fp32', operators = 'deform-conv' } = options;
  const onProgress = (share: number) => {
    throwIfCancelled(options.signal);
    options.onProgress?.(share);
  };
  const { hyper, warnings, origins } = inferHyperParameters(checkpoint, configuration);
  const {
    warnings: labelWarnings,
    origins: labelOrigins,
    ...labels
  } = modelLabels(hyper.decoder.classes, configuration, options);
  const input = inputRule(labels.kind, configuration, options);
  const graph = buildNetwork(checkpoint, hyper, labels.kind, FORMULATIONS[operators]);
  const producer = { name: packageJson.name, version: packageJson.version };
  const files = await writeModel(graph, folder, { precision, producer, onProgress });
  const doubtful = checkpoint.warning();
  const thresholds = {
    scoreThreshold: configuration?.scoreThreshold ?? SCORE_THRESHOLD,
    ...(configuration?.mapConfidence !== undefined && { mapConfidence: configuration.mapConfidence }),
  };
  const manifest: ModelManifest = {
    format: 1,
    id: options.id,
    digest: modelDigest({ files, ...labels, input, ...thresholds }),
    ...labels,
    input,
    ...thresholds,
    precision,
    ...(operators !== 'deform-conv' && { operators }),
    hyperParameters: hyper,
    files,
    ...(doubtful !== null && { warnings: [doubtful] }),
    source: {
      file: basename(checkpoint.file),
      size: checkpoint.size,
      sha256: await sha256File(checkpoint.file, { signal: options.signal }),
      configuration: configuration !== undefined,
    },
    converter: { ...producer, opset: graph.opset },
  };
  await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return {
    manifest,
    warnings: [
      ...(doubtful === null ? [] : [doubtful]),
      ...uncheckedTold(checkpoint),
      ...averageOffered(checkpoint),
      ...warnings,
      ...labelWarnings,
      ...graph.warnings,
    ],
    origins: { ...origins, ...labelOrigins },
  };
}

/** Tells that nobody can know whether the weights are those that were saved. */
function uncheckedTold({ file, unchecked }: Checkpoint): string[] {
  if (!unchecked) return [];
  return [
    `${basename(file)} was saved without check values (CRC-32): damage to its weights would not be noticed. Compare its ` +
      'SHA-256 with that of whoever published it',
  ];
}

/** Tells of averaged weights that lie beside those that were taken. */
function averageOffered({ averaged }: Checkpoint): string[] {
  if (averaged === null) return [];
  return [
    `The checkpoint also holds averaged weights (${JSON.stringify(averaged)}), often the better ones: ` +
      '"m2fp convert --weights ema" takes them, and so does "Averaged weights" in the form of the model',
  ];
}

/**
 * The checkpoint of a source, its configuration, which may be missing, and its name.
 * @throws M2fpError M2FP_MODEL_NOT_FOUND
 */
export async function locateCheckpoint(
  source: string,
): Promise<{ file: string; configurationFile: string; name: string }> {
  const path = resolve(source);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new M2fpError('M2FP_MODEL_NOT_FOUND', `There is no file or folder ${path}`);
  if (!found.isDirectory()) {
    const folder = dirname(path);
    return { file: path, configurationFile: join(folder, 'configuration.json'), name: basename(path) };
  }
  for (const candidate of CHECKPOINT_FILES) {
    const file = join(path, candidate);
    if (await stat(file).catch(() => undefined)) {
      return { file, configurationFile: join(path, 'configuration.json'), name: basename(path) };
    }
  }
  const names = await readdir(path).catch(() => []);
  const shard = names.find(isShardName);
  if (shard !== undefined) {
    throw new M2fpError('M2FP_CHECKPOINT_INVALID', `${path} holds ${shard}, of ${JOIN_SHARDS}`);
  }
  const archive = names.find(isArchiveName);
  if (archive !== undefined) {
    throw new M2fpError(
      'M2FP_MODEL_NOT_FOUND',
      `${path} holds no checkpoint, but the archive ${archive}: unpack it first`,
    );
  }
  throw new M2fpError(
    'M2FP_MODEL_NOT_FOUND',
    `${path} holds no checkpoint (none of ${CHECKPOINT_FILES.join(', ')})`,
  );
}

function inputRule(
  kind: ModelKind,
  configuration: ModelConfiguration | undefined,
  { shortSide, longSide }: ConvertOptions,
): InputRule {
  for (const [name, side] of Object.entries({ shortSide, longSide })) {
    INPUT_SIDE.read(name, side);
  }
  if (kind === 'single') {
    const given = Object.entries({ shortSide, longSide }).find(([, side]) => side !== undefined);
    if (given !== undefined) {
      throw new M2fpError(
        'M2FP_BAD_OPTION',
        `${given[0]} is of models for several people, and this one has a canvas of its own: leave it out`,
      );
    }
    const [width, height] = configuration?.canvas ?? SINGLE_CANVAS;
    return { kind: 'canvas', width, height, pad: CANVAS_PAD };
  }
  return { ...MULTI_INPUT, ...(shortSide && { shortSide }), ...(longSide && { longSide }) };
}
