/** How much memory a model needs when it runs. */
import type { InputRule, ModelManifest } from '../../m2fp/manifest.ts';

/** Node.js with onnxruntime and sharp, before a model is loaded: measured on Linux. */
const PROCESS_BYTES = 140e6;
/**
 * What a run takes for each pixel of the network's input: pictures, masks and label maps; and the network's layers, by
 * the channels of its pixel decoder. Measured with onnxruntime 1.30: 0.87 GB in all for a full-size network at
 * 640 x 960, 0.21 and 0.25 GB for the bundled one at 320 x 480 and 416 x 624.
 */
const PIXEL_BYTES = 206;
const CHANNEL_BYTES = 2.24;
/**
 * What WebAssembly takes beside that: its compiled code, and the weights' file that is handed over to it. Measured with
 * the bundled model: 0.39 GB in all.
 */
const WASM_BYTES = 130e6;
/** The longer side of a usual picture, by its shorter. */
const ASPECT = 1.5;

/** The method in words, for whoever reads the number. */
export const MEMORY_METHOD =
  'estimated as 0.14 GB for the process, the weights in float32, and for each pixel of the input 206 bytes and 2.24 for ' +
  'each channel of the pixel decoder';

/**
 * Bytes that an engine process with this model holds after a few pictures of the model's own size. Larger
 * pictures, or many people in them, need more.
 */
export function memoryNeeded(
  model: Pick<ModelManifest, 'precision' | 'input' | 'hyperParameters'> & {
    files: { 'model.onnx.data': { size: number } };
  },
  provider: 'cpu' | 'wasm' = 'cpu',
): number {
  const stored = model.files['model.onnx.data'].size;
  // Halved weights are widened when they are loaded.
  const weights = model.precision === 'fp16' ? 2 * stored : stored;
  const pixel = PIXEL_BYTES + CHANNEL_BYTES * model.hyperParameters.pixelDecoder.convDim;
  const wasm = provider === 'wasm' ? WASM_BYTES + stored : 0;
  return Math.round(PROCESS_BYTES + weights + wasm + pixelsOf(model.input) * pixel);
}

function pixelsOf(rule: InputRule): number {
  if (rule.kind === 'canvas') return rule.width * rule.height;
  return rule.shortSide * Math.min(rule.shortSide * ASPECT, rule.longSide);
}
