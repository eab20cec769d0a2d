/** The formulation that models are built in: the fastest that onnxruntime's CPU kernels allow. */
import { crossAttention } from '../attention.ts';
import { encoder } from '../encoder.ts';
import { maskHead } from '../heads.ts';
import { groupNorm } from '../layers.ts';
import type { Formulation } from './types.ts';

export const FAST: Formulation = {
  groupNorm,
  encoder,
  maskHead,
  crossAttention,
  // onnxruntime would fuse Add + LayerNormalization into a kernel that is slower than both.
  residual: (g, x, delta) => g.sum(x, delta),
};
