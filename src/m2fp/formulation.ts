/**
 * The choices in how the network's mathematics becomes operators. All give the same results; they differ in
 * speed, which `npm run bench -- graph` measures.
 */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { encoder } from './encoder.ts';
import { maskHead } from './heads.ts';
import { groupNorm } from './layers.ts';
import { crossAttention } from './transformer-decoder.ts';

export interface Formulation {
  /** The pixel decoder's norm; the backbone's is not a choice. */
  groupNorm: typeof groupNorm;
  encoder: typeof encoder;
  maskHead: typeof maskHead;
  crossAttention: typeof crossAttention;
  /** In the transformer decoder: a layer's input plus what the layer adds. */
  residual: (g: GraphBuilder, x: Value, delta: Value) => Value;
}

/** The one that models are built in. */
export const FAST: Formulation = {
  groupNorm,
  encoder,
  maskHead,
  crossAttention,
  // onnxruntime would fuse Add + LayerNormalization into a kernel that is slower than both.
  residual: (g, x, delta) => g.sum(x, delta),
};
