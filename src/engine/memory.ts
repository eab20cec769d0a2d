/** How much memory a model needs when it runs. */
import type { InputRule, ModelManifest } from '../m2fp/manifest.ts';

/** Node.js with onnxruntime and sharp, before a model is loaded: measured on Linux. */
const PROCESS_BYTES = 140e6;
/** What a full-size network uses beside its weights on 640 x 960 pixels: measured with onnxruntime 1.30. */
const WORK_BYTES = 480e6;
const WORK_PIXELS = 640 * 960;
const WORK_CHANNELS = 256;
/** The longer side of a usual picture, by its shorter. */
const ASPECT = 1.5;

/** The method in words, for whoever reads the number. */
export const MEMORY_METHOD =
  'estimated as 0.14 GB for the process, the weights in float32, and working memory of 0.48 GB for 640 x 960 pixels ' +
  'and 256 channels, in proportion';

/**
 * Bytes that an engine process with this model holds after a few pictures of the model's own size. Larger
 * pictures, or many people in them, need more.
 */
export function memoryNeeded(
  model: Pick<ModelManifest, 'precision' | 'input' | 'hyperParameters'> & {
    files: { 'model.onnx.data': { size: number } };
  },
): number {
  const stored = model.files['model.onnx.data'].size;
  // Halved weights are widened when they are loaded.
  const weights = model.precision === 'fp16' ? 2 * stored : stored;
  const share =
    (pixelsOf(model.input) / WORK_PIXELS) * (model.hyperParameters.pixelDecoder.convDim / WORK_CHANNELS);
  return Math.round(PROCESS_BYTES + weights + WORK_BYTES * share);
}

function pixelsOf(rule: InputRule): number {
  if (rule.kind === 'canvas') return rule.width * rule.height;
  return rule.shortSide * Math.min(rule.shortSide * ASPECT, rule.longSide);
}
