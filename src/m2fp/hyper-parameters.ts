/** The network's sizes and switches, in Mask2Former's and detectron2's terms. */

export interface HyperParameters {
  backbone: {
    /** Bottlenecks in res2..res5. */
    blocks: [number, number, number, number];
    stemChannels: number;
    res2Channels: number;
    /** Channels inside a res2 bottleneck (doubled with every stage). */
    bottleneckChannels: number;
    groups: number;
    strideIn1x1: boolean;
    res4Dilation: number;
    res5Dilation: number;
    res5MultiGrid: [number, number, number];
    norm: 'BN' | 'GN';
  };
  pixelDecoder: {
    convDim: number;
    maskDim: number;
    layers: number;
    feedForward: number;
    heads: number;
    points: number;
    levels: number;
  };
  decoder: {
    hiddenDim: number;
    queries: number;
    layers: number;
    feedForward: number;
    heads: number;
    classes: number;
    preNorm: boolean;
    inputProjection: boolean;
  };
}
