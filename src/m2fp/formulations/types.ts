/**
 * The choices in how the network's mathematics becomes operators. All give the same results; they differ in
 * speed, which `npm run bench -- graph` measures, and in the operators that an engine must know.
 */
import type { GraphBuilder, Opset, Value } from '../../onnx/graph.ts';
import type { crossAttention } from '../attention.ts';
import type { encoder } from '../encoder.ts';
import type { maskHead } from '../heads.ts';
import type { groupNorm } from '../layers.ts';

export interface Formulation {
  /** The version of the operator set that it is written in. */
  opset: Opset;
  /** uint8 [height, width, 3] -> float [3, height, width]. */
  planes: (g: GraphBuilder, image: Value) => Value;
  /** The pixel decoder's norm; the backbone's is not a choice. */
  groupNorm: typeof groupNorm;
  /** The pixel decoder's deformable encoder. */
  encoder: typeof encoder;
  /** Masks of the queries, at full resolution and as the decoder's attention masks. */
  maskHead: typeof maskHead;
  /** The transformer decoder's attention to a level. */
  crossAttention: typeof crossAttention;
  /** In the transformer decoder: a layer's input plus what the layer adds. */
  residual: (g: GraphBuilder, x: Value, delta: Value) => Value;
}
