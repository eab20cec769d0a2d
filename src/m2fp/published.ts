/** What is known of the published models before they are downloaded. */
import type { HyperParameters } from './hyper-parameters.ts';
import { LABEL_SETS, type LabelSetName } from './labels.ts';
import type { InputRule, ModelKind } from './manifest.ts';

export interface PublishedFacts {
  kind: ModelKind;
  labels: readonly string[];
  input: InputRule;
  hyperParameters: HyperParameters;
  /** Bytes of the weights in float32: what is left of the download, which holds the trainer's state, too. */
  weights: number;
}

/** The network of both of ModelScope's models: Mask2Former with ResNet-101 and 63 million parameters. */
const RESNET_101: Omit<HyperParameters, 'decoder'> & {
  decoder: Omit<HyperParameters['decoder'], 'classes'>;
} = {
  backbone: {
    blocks: [3, 4, 23, 3],
    stemChannels: 128,
    res2Channels: 256,
    bottleneckChannels: 64,
    groups: 1,
    strideIn1x1: false,
    res4Dilation: 1,
    res5Dilation: 1,
    res5MultiGrid: [1, 1, 1],
    norm: 'BN',
  },
  pixelDecoder: { convDim: 256, maskDim: 256, layers: 6, feedForward: 1024, heads: 8, points: 4, levels: 3 },
  decoder: {
    hiddenDim: 256,
    queries: 100,
    layers: 9,
    feedForward: 2048,
    heads: 8,
    preNorm: false,
    inputProjection: false,
  },
};
const WEIGHTS = 253e6;

const published = (set: LabelSetName, input: InputRule): PublishedFacts => {
  const { kind, labels } = LABEL_SETS[set];
  const decoder = { ...RESNET_101.decoder, classes: labels.length };
  return { kind, labels, input, hyperParameters: { ...RESNET_101, decoder }, weights: WEIGHTS };
};

/** ModelScope's owner of both models, and what it was called before. */
const OWNER = 'iic';
const OLD_OWNER = 'damo';

export const MULTI_HUMAN_ID = `${OWNER}/cv_resnet101_image-multiple-human-parsing`;
export const SINGLE_HUMAN_ID = `${OWNER}/cv_resnet101_image-single-human-parsing`;

const MODELS: Readonly<Record<string, PublishedFacts>> = {
  [MULTI_HUMAN_ID]: published('cihp', {
    kind: 'short-side',
    shortSide: 640,
    longSide: 1333,
  }),
  [SINGLE_HUMAN_ID]: published('lip', {
    kind: 'canvas',
    width: 384,
    height: 512,
    pad: 128,
  }),
};

/**
 * The names of one model, the present one first: ModelScope's two models were published as `damo/...`, and still answer to
 * it. All other models have the one name.
 */
export function namesOf(id: string): readonly [id: string, ...older: string[]] {
  const [, name = ''] = id.split('/');
  const present = `${OWNER}/${name}`;
  const old = `${OLD_OWNER}/${name}`;
  return Object.hasOwn(MODELS, present) && (id === present || id === old) ? [present, old] : [id];
}

/** The facts of the model `id`, under its present or its old name; undefined where it is not one of ModelScope's. */
export function publishedFacts(id: string): PublishedFacts | undefined {
  const [present] = namesOf(id);
  return Object.hasOwn(MODELS, present) ? MODELS[present] : undefined;
}
