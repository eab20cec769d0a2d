/** Pictures: from a message to the network's input, and from pixels back to a file. */
export { decodePicture } from './decode.ts';
export { encodePicture, ENCODED_FORMATS, type EncodeOptions } from './encode.ts';
export { detectFormat, type PictureFormat } from './formats/format.ts';
export { DEFAULT_LIMITS, limitsFrom } from './limits.ts';
export { checkNetworkInput, isNetworkInput } from './network-input.ts';
export { preprocess, preprocessRaw, targetSize, type TargetSize } from './preprocess.ts';
export { resizeBilinear } from './resize.ts';
export { describeRuntime, loadSharp, type Sharp } from './sharp.ts';
export { inSlices } from './slices.ts';
export { pictureFrom } from './source/image-from-message.ts';
export type { ImageLimits, NetworkInput, RawImage } from './types.ts';
