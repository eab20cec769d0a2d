/** The formulation that models are built in unless another is asked for: the fastest that onnxruntime's CPU kernels allow. */
import { OPSET } from '../../onnx/graph.ts';
import { crossAttention } from '../attention.ts';
import { encoder } from '../encoder.ts';
import { maskHead } from '../heads.ts';
import { groupNorm } from '../layers.ts';
import type { Formulation } from './types.ts';

export const FAST: Formulation = {
  opset: OPSET,
  planes: (g, image) => g.cast(g.transpose(image, [2, 0, 1]), 'float32'),
  groupNorm,
  encoder,
  maskHead,
  crossAttention,
  // onnxruntime would fuse Add + LayerNormalization into a kernel that is slower than both.
  residual: (g, x, delta) => g.sum(x, delta),
};
