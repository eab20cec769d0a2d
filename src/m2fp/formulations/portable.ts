/** For engines that lack DeformConv: the same in operators that have been in ONNX for longer. */
import { encoder } from '../encoder.ts';
import { gridSampleSampling } from '../sampling/grid-sample.ts';
import { FAST } from './fast.ts';
import type { Formulation } from './types.ts';

export const PORTABLE: Formulation = {
  ...FAST,
  // The first that has LayerNormalization; GridSample came with 16.
  opset: 17,
  // TensorRT takes bytes for nothing but a Cast.
  planes: (g, image) => g.transpose(g.cast(image, 'float32'), [2, 0, 1]),
  encoder: (g, levels, state, hyper) => encoder(g, levels, state, hyper, gridSampleSampling),
};
