/** Pictures: from a message to the network's input, and from pixels back to a file. */
export { decodeImage } from './decode.ts';
export { encodeImage, ENCODED_FORMATS, type EncodeOptions } from './encode.ts';
export { detectFormat, type ImageFormat } from './formats/format.ts';
export { DEFAULT_LIMITS, FIXED_LIMITS, limitsFrom } from './limits.ts';
export { checkNetworkInput, isNetworkInput, withBuffers } from './network-input.ts';
export { preprocess, preprocessRaw, targetSize, type TargetSize } from './preprocess.ts';
export { resizeBilinear } from './resize.ts';
export { describeRuntime, loadSharp, type Sharp } from './sharp.ts';
export { forEachSlice } from './slices.ts';
export { imageFrom, imageFromMessage } from './source/image-from-message.ts';
export type { ImageLimits, NetworkInput, RawImage } from './types.ts';
