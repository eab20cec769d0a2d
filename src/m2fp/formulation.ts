/**
 * The choices in how the network's mathematics becomes operators. All give the same results; they differ in
 * speed, which `npm run bench -- graph` measures.
 */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { deformableAttention } from './deformable-attention.ts';
import { maskHead } from './heads.ts';

export interface Formulation {
  deformableAttention: typeof deformableAttention;
  maskHead: typeof maskHead;
  /** What a layer norm is applied to: a layer's input plus what the layer adds. */
  residual: (g: GraphBuilder, x: Value, delta: Value) => Value;
  /** Pieces that an encoder layer's tokens are worked off in after the attention. */
  encoderChunks: number;
}

/** The one that models are built in. */
export const FAST: Formulation = {
  deformableAttention,
  maskHead,
  // Sum instead of Add: onnxruntime would fuse Add + LayerNormalization into a kernel that is slower on its own; in
  // the whole network the difference is within the noise of `npm run bench -- graph`.
  residual: (g, x, delta) => g.sum(x, delta),
  // A layer's hidden activation of a 640 x 960 picture is 51 MB; in pieces it stays in the cache. 8, 16 and 24 pieces
  // are equally fast.
  encoderChunks: 8,
};
