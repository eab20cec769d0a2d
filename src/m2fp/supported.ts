/** Refuses by name the relatives of M2FP's network that this package cannot compute. */
import type { ModelConfiguration } from './configuration.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { NORM_GROUPS } from './layers.ts';
import type { CheckpointState } from './state-dict.ts';

/** Tensors that only another network has, and what they are. */
const UNSUPPORTED_VARIANTS: readonly [pattern: RegExp, what: string][] = [
  [/^backbone\.(patch_embed|layers)\./, 'a Swin transformer as its backbone; only ResNets are supported'],
  [/^backbone\.bottom_up\./, 'a feature pyramid around its backbone; only plain ResNets are supported'],
  [
    /^backbone\.res\d\.\d+\.conv2_offset\./,
    'deformable convolutions in its backbone (DEFORM_ON_PER_STAGE), which are not supported',
  ],
  [
    /^sem_seg_head\.pixel_decoder\.(adapter|layer)_([2-9]|\d\d)/,
    'more than one FPN level (common_stride below 4); only common_stride 4 is supported',
  ],
  [
    /^sem_seg_head\.pixel_decoder\.input_proj\.([3-9]|\d\d)/,
    'more than three levels in its deformable encoder; only res3, res4 and res5 are supported',
  ],
];

/** Settings of the encoder that change which maps it reads: the only value of each that is supported. */
const ENCODER_SETTINGS: readonly [key: string, supported: unknown][] = [
  ['common_stride', 4],
  ['in_features', ['res2', 'res3', 'res4', 'res5']],
  ['transformer_in_features', ['res3', 'res4', 'res5']],
];

/** The order of a list says nothing: M2FP sorts the maps by stride. */
function agrees(value: unknown, supported: unknown): boolean {
  if (!Array.isArray(value) || !Array.isArray(supported)) return value === supported;
  return value.length === supported.length && supported.every((item) => value.includes(item));
}

/**
 * Checks that the checkpoint is of a network of this kind, before its sizes are known.
 * @throws M2fpError M2FP_CHECKPOINT_INVALID naming the variant and the tensor or setting that tells
 */
export function assertSupported(state: CheckpointState, configuration: ModelConfiguration | undefined): void {
  for (const [pattern, what] of UNSUPPORTED_VARIANTS) {
    const name = state.find(pattern);
    if (name !== undefined) throw state.fail(`the network has ${what} (the tensor ${name})`);
  }
  const backbone = state.at('backbone');
  if (backbone.has('res2.0.conv2.weight') && !backbone.has('res2.0.conv3.weight')) {
    throw state.fail(
      'the backbone has basic blocks (ResNet-18 or 34: no tensor backbone.res2.0.conv3.weight); ' +
        'only bottlenecks are supported (ResNet-50, 101, 152)',
    );
  }
  if (backbone.has('stem.conv1.weight') && !backbone.has('stem.conv2.weight')) {
    throw state.fail(
      'the backbone has a stem of one convolution (no tensor backbone.stem.conv2.weight); ' +
        'only the "deeplab" stem of three is supported, which M2FP has',
    );
  }
  const pixelDecoder = state.at('sem_seg_head.pixel_decoder');
  if (pixelDecoder.has('mask_features.weight') && !pixelDecoder.has('adapter_1.weight')) {
    throw state.fail(
      'the network has no FPN level (common_stride 8: no tensor sem_seg_head.pixel_decoder.adapter_1.weight); ' +
        'only common_stride 4 is supported',
    );
  }
  for (const [key, supported] of ENCODER_SETTINGS) {
    const value = configuration?.encoder[key] ?? supported;
    if (!agrees(value, supported)) {
      throw state.fail(
        `configuration.json says model.encoder.${key} = ${JSON.stringify(value)}; ` +
          `only ${JSON.stringify(supported)} is supported`,
      );
    }
  }
}

/**
 * Checks that the sizes are such that the network is defined, and computed as its authors' code computes it.
 * @throws M2fpError M2FP_CHECKPOINT_INVALID with the numbers that do not fit
 */
export function assertComputable(state: CheckpointState, hyper: HyperParameters): void {
  const { backbone, pixelDecoder, decoder } = hyper;
  const multipleOf = (divisor: number, size: number, what: string, why: string) => {
    if (size % divisor !== 0) throw state.fail(`${what} is ${size}, no multiple of ${divisor}: ${why}`);
  };
  assertDilation(state, backbone);
  if (!Number.isInteger(backbone.groups)) {
    const { bottleneckChannels, groups } = backbone;
    throw state.fail(
      `the groups of the backbone's 3 x 3 convolutions have ${bottleneckChannels / groups} channels, which do not ` +
        `divide their ${bottleneckChannels} channels`,
    );
  }
  if (backbone.norm === 'GN') {
    const why = `the backbone's group norms have ${NORM_GROUPS} groups`;
    const inner = state.shape('backbone.stem.conv1.weight', 4)[0]!;
    multipleOf(NORM_GROUPS, inner, "the stem's inner width", why);
    multipleOf(NORM_GROUPS, backbone.stemChannels, "the stem's width", why);
    multipleOf(NORM_GROUPS, backbone.bottleneckChannels, "the bottlenecks' width", why);
    multipleOf(NORM_GROUPS, backbone.res2Channels, 'the width of res2', why);
  }

  const { convDim } = pixelDecoder;
  multipleOf(NORM_GROUPS, convDim, 'conv_dim', `its group norms have ${NORM_GROUPS} groups`);
  for (const [name, rank] of [
    ['pixel_decoder.transformer.level_embed', 2],
    ['predictor.level_embed.weight', 2],
  ] as const) {
    const levels = state.shape(`sem_seg_head.${name}`, rank)[0]!;
    if (levels !== pixelDecoder.levels) {
      throw state.fail(`the network has ${levels} levels (sem_seg_head.${name}); only 3 are supported`);
    }
  }
  assertHeads(state, "the encoder's deformable attention", pixelDecoder.heads, 'conv_dim', convDim);

  const { hiddenDim } = decoder;
  assertHeads(state, "the decoder's attention", decoder.heads, 'hidden_dim', hiddenDim);
  multipleOf(4, hiddenDim, 'hidden_dim', 'its position embedding has sines and cosines of rows and columns');
  if (convDim !== hiddenDim && !decoder.inputProjection) {
    throw state.fail(
      `conv_dim is ${convDim} and hidden_dim ${hiddenDim}, but there is no input_proj between them ` +
        '(the tensor sem_seg_head.predictor.input_proj.0.weight)',
    );
  }
  if (decoder.classes < 1) throw state.fail('class_embed has one row, so that there is no class');
}

/** detectron2's rule, without which its strides and ours would part. */
function assertDilation(state: CheckpointState, backbone: HyperParameters['backbone']): void {
  const { res4Dilation: res4, res5Dilation: res5 } = backbone;
  if ((res4 === 1 && [1, 2, 4].includes(res5)) || (res4 === 2 && res5 === 4)) return;
  throw state.fail(
    `res4_dilation is ${res4} and res5_dilation ${res5}; supported are 1 and 1, 1 and 2, 1 and 4, 2 and 4`,
  );
}

function assertHeads(state: CheckpointState, what: string, heads: number, name: string, width: number): void {
  if (Number.isInteger(heads) && width % heads === 0) return;
  throw state.fail(`${what} has ${heads} heads, which do not divide ${name} = ${width}`);
}
