/** Floating-point operations (2 x multiply-adds) of our graph, so that time can be told as GFLOP/s. */
import type { HyperParameters } from './hyper-parameters.ts';

/** Operations for a padded picture of `height` x `width` pixels. */
export function graphFlops(hyper: HyperParameters, height: number, width: number): number {
  const area = (stride: number) => (height / stride) * (width / stride);
  const conv = (inputs: number, outputs: number, kernel: number, stride: number) =>
    2 * inputs * outputs * kernel * kernel * area(stride);
  const { backbone, pixelDecoder, decoder } = hyper;

  let total = conv(3, backbone.stemChannels / 2, 3, 2);
  total += conv(backbone.stemChannels / 2, backbone.stemChannels / 2, 3, 2);
  total += conv(backbone.stemChannels / 2, backbone.stemChannels, 3, 2);
  let inputs = backbone.stemChannels;
  backbone.blocks.forEach((blocks, stage) => {
    const stride = 4 * 2 ** stage;
    const outputs = backbone.res2Channels * 2 ** stage;
    const middle = backbone.bottleneckChannels * 2 ** stage;
    for (let block = 0; block < blocks; block++) {
      const before = block === 0 && stage > 0 ? stride / 2 : stride;
      if (inputs !== outputs) total += conv(inputs, outputs, 1, stride);
      total +=
        conv(inputs, middle, 1, before) + conv(middle, middle, 3, stride) + conv(middle, outputs, 1, stride);
      inputs = outputs;
    }
  });

  const d = pixelDecoder.convDim;
  const strides = [32, 16, 8];
  const tokens = strides.reduce((sum, stride) => sum + area(stride), 0);
  strides.forEach((stride, level) => (total += conv(backbone.res2Channels * 2 ** (3 - level), d, 1, stride)));
  const samplingRows = pixelDecoder.heads * pixelDecoder.levels * pixelDecoder.points * 3;
  total += pixelDecoder.layers * 2 * tokens * d * (2 * d + samplingRows + 2 * pixelDecoder.feedForward);
  total += conv(backbone.res2Channels, d, 1, 4) + conv(d, d, 3, 4);

  const e = decoder.hiddenDim;
  const q = decoder.queries;
  for (let layer = 0; layer < decoder.layers; layer++) {
    const n = area(strides[layer % strides.length]!);
    total += 2 * n * e * 2 * e + 2 * 2 * q * n * e + 2 * q * n * d;
    total += 2 * q * e * (6 * e + 2 * decoder.feedForward + 3 * e) + 2 * 2 * q * q * e;
  }
  return total + 2 * q * area(4) * d;
}
