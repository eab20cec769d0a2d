import type { Attribute } from './proto.ts';
import type { ConvOptions } from './types.ts';
import type { Weight } from './weight.ts';

/** The attributes of Conv for odd kernels, padded so that stride 1 keeps the size. */
export function convAttributes(
  { shape }: Weight,
  { stride = 1, dilation = 1, groups = 1 }: Pick<ConvOptions, 'stride' | 'dilation' | 'groups'>,
): Record<string, Attribute> {
  const kernel = shape.slice(2);
  const pads = kernel.map((size) => ((size - 1) / 2) * dilation);
  return {
    kernel_shape: kernel,
    pads: [...pads, ...pads],
    strides: [stride, stride],
    dilations: [dilation, dilation],
    group: groups,
  };
}
