/**
 * onnxruntime's WebAssembly build. A file of its own in the built package, with the two files that it loads beside
 * it: it looks for them where its own code lies.
 */
export { env, InferenceSession, Tensor } from 'onnxruntime-web';
