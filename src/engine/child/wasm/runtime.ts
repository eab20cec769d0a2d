/**
 * onnxruntime's WebAssembly build. A file of its own in the built package, with the two files that it loads beside
 * it: it looks for them where its own code lies.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { env } from 'onnxruntime-web';

const here = fileURLToPath(import.meta.url);
// From the sources, it takes that of onnxruntime-web.
if (basename(here) === 'runtime.js') {
  const packed = readFileSync(join(dirname(here), 'ort-wasm-simd-threaded.wasm.br'));
  env.wasm.wasmBinary = brotliDecompressSync(packed);
}

export { env, InferenceSession, Tensor } from 'onnxruntime-web';
