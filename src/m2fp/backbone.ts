/** ResNet with detectron2's "deeplab" stem (docs/m2fp-architecture.md section 4). */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import type { ConvOptions } from '../onnx/types.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { affine, foldBatchNorm, groupNorm } from './layers.ts';
import type { StateDict } from './state-dict.ts';

const STAGES = ['res2', 'res3', 'res4', 'res5'] as const;
export type Stage = (typeof STAGES)[number];

/** Channels of a stage's output: doubled with every stage. */
export function stageChannels(hyper: HyperParameters, stage: Stage): number {
  return hyper.backbone.res2Channels * 2 ** STAGES.indexOf(stage);
}

/** detectron2's rule: a stage halves its input's size unless it is dilated; res2 keeps that of the stem. */
function firstStride({ res4Dilation, res5Dilation }: HyperParameters['backbone'], stage: Stage): number {
  if (stage === 'res2') return 1;
  if (stage === 'res4') return res4Dilation > 1 ? 1 : 2;
  if (stage === 'res5') return res5Dilation > 1 ? 1 : 2;
  return 2;
}

/** Pixels of the picture per cell of a stage's output, along one axis: 4, 8, 16, 32 where nothing is dilated. */
export function stageStride(hyper: HyperParameters, stage: Stage): number {
  return STAGES.slice(0, STAGES.indexOf(stage) + 1).reduce(
    (stride, each) => stride * firstStride(hyper.backbone, each),
    4,
  );
}

interface ConvShape extends Omit<ConvOptions, 'weight' | 'bias'> {
  inputs: number;
  outputs: number;
  kernel: number;
}

/** image [1, 3, H, W], normalised, H and W multiples of 32 -> one map per stage, at 1/4 to 1/32. */
export function backbone(
  g: GraphBuilder,
  image: Value,
  state: StateDict,
  hyper: HyperParameters,
): Record<Stage, Value> {
  const sizes = hyper.backbone;

  const convNorm = (
    x: Value,
    module: StateDict,
    { inputs, outputs, kernel, groups = 1, relu = false, ...rest }: ConvShape,
  ) => {
    const weight = module.get('weight', [outputs, inputs / groups, kernel, kernel]);
    const norm = module.at('norm');
    if (sizes.norm === 'BN') return g.conv(x, { ...foldBatchNorm(weight, norm), groups, relu, ...rest });
    const y = groupNorm(g, g.conv(x, { weight, groups, ...rest }), affine(norm, outputs));
    return relu ? g.relu(y) : y;
  };

  const stem = (x: Value) => {
    const stemState = state.at('stem');
    const inner = stemState.shape('conv1.weight', 4)[0]!;
    const convolution = (name: 'conv1' | 'conv2' | 'conv3', inputs: number, outputs: number, stride = 1) =>
      g.part(`stem.${name}`, () =>
        convNorm(x, stemState.at(name), { inputs, outputs, kernel: 3, stride, relu: true }),
      );
    x = convolution('conv1', 3, inner, 2);
    x = convolution('conv2', inner, inner);
    x = convolution('conv3', inner, sizes.stemChannels);
    return g.maxPool(x, 3, 2, 1);
  };

  const bottleneck = (
    x: Value,
    block: StateDict,
    {
      inputs,
      outputs,
      width,
      stride,
      dilation,
    }: Record<'inputs' | 'outputs' | 'width' | 'stride' | 'dilation', number>,
  ) => {
    const [stride1, stride3] = sizes.strideIn1x1 ? [stride, 1] : [1, stride];
    const shortcut =
      inputs === outputs ? x : convNorm(x, block.at('shortcut'), { inputs, outputs, kernel: 1, stride });
    const { groups } = sizes;
    const relu = true;
    let y = convNorm(x, block.at('conv1'), { inputs, outputs: width, kernel: 1, stride: stride1, relu });
    const middle = { inputs: width, outputs: width, kernel: 3, stride: stride3, dilation, groups, relu };
    y = convNorm(y, block.at('conv2'), middle);
    y = convNorm(y, block.at('conv3'), { inputs: width, outputs, kernel: 1 });
    return g.residual(y, shortcut);
  };

  /** detectron2's rule: all blocks of a stage alike, but res5 block by block. */
  const dilationOf = (stage: Stage, block: number) => {
    if (stage === 'res4') return sizes.res4Dilation;
    if (stage === 'res5')
      return sizes.res5Dilation * sizes.res5MultiGrid[block % sizes.res5MultiGrid.length]!;
    return 1;
  };

  let x = g.scope('stem', () => stem(image));
  let inputs = sizes.stemChannels;
  const maps: Partial<Record<Stage, Value>> = {};
  STAGES.forEach((stage, index) => {
    const outputs = stageChannels(hyper, stage);
    const width = sizes.bottleneckChannels * 2 ** index;
    for (let block = 0; block < sizes.blocks[index]!; block++) {
      const stride = block === 0 ? firstStride(sizes, stage) : 1;
      const dilation = dilationOf(stage, block);
      const blockState = state.at(`${stage}.${block}`);
      const build = () => bottleneck(x, blockState, { inputs, outputs, width, stride, dilation });
      x = g.scope(`${stage}.${block}`, () => g.part(stage, build));
      inputs = outputs;
    }
    maps[stage] = x;
  });
  return maps as Record<Stage, Value>;
}
