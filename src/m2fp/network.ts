/** The whole network as one ONNX graph for pictures of any size. */
import type { Checkpoint } from '../checkpoint/index.ts';
import { GraphBuilder, type Graph, type Value } from '../onnx/graph.ts';
import { backbone } from './backbone.ts';
import { FAST } from './formulations/fast.ts';
import type { Formulation } from './formulations/types.ts';
import { classHead, semanticHead } from './heads.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { mapSize } from './layers.ts';
import type { ModelKind } from './manifest.ts';
import { pixelDecoder } from './pixel-decoder.ts';
import { CheckpointState, type StateDict } from './state-dict.ts';
import { transformerDecoder } from './transformer-decoder.ts';

/** ImageNet's, RGB, as in M2FP's training configuration. */
const PIXEL_MEAN = [123.675, 116.28, 103.53];
const PIXEL_STD = [58.395, 57.12, 57.375];
const DIVISIBILITY = 32;

/** What lies beside the network's weights in checkpoints: counters of training, parts of the loss. */
const NO_WEIGHT = /\.num_batches_tracked$|(^|\.)criterion\./;

/** How many names a warning lists. */
const LISTED = 5;

/** The graph, and what a user should know about how it was built. */
export interface Network extends Graph {
  /** Names the tensors below `backbone.` and `sem_seg_head.` that the network has no use for. */
  warnings: string[];
}

/**
 * Builds the graph.
 *
 * Input `image`: uint8 [height, width, 3], RGB, resized by the model's input rule; normalisation and the
 * padding to multiples of 32 happen inside. Outputs: `pred_logits` [queries, classes + 1], `pred_masks`
 * [queries, padded height / 4, padded width / 4], and for `single` also `semantic` [classes, padded height,
 * padded width].
 * @throws M2fpError M2FP_CHECKPOINT_INVALID naming a tensor that is missing or of another shape
 */
export function buildNetwork(
  checkpoint: Checkpoint,
  hyper: HyperParameters,
  kind: ModelKind,
  formulation: Formulation = FAST,
): Network {
  const state = new CheckpointState(checkpoint);
  const g = new GraphBuilder(undefined, formulation.opset);
  addNetwork(g, state, hyper, kind, formulation);
  return { ...g.finish(), warnings: untakenTensors([state.at('backbone'), state.at('sem_seg_head')]) };
}

/** Adds the network to a graph: see {@link buildNetwork}. */
export function addNetwork(
  g: GraphBuilder,
  state: StateDict,
  hyper: HyperParameters,
  kind: ModelKind,
  formulation: Formulation = FAST,
): void {
  const head = state.at('sem_seg_head');
  const image = g.input('image', 'uint8', ['height', 'width', 3]);

  const x = g.scope('normalize', () => normalize(g, image, formulation.planes(g, image)));
  const padded = mapSize(g, x);
  const maps = g.scope('backbone', () => backbone(g, x, state.at('backbone'), hyper));
  const { levels, finest } = g.scope('pixel_decoder', () =>
    pixelDecoder(g, maps, head.at('pixel_decoder'), hyper, formulation),
  );
  const { queries, masks } = g.scope('predictor', () => {
    const sizes = levels.map((level) => level.size);
    const maskOf = formulation.maskHead(g, finest, sizes, head, hyper);
    const decoded = transformerDecoder(g, levels, maskOf, head.at('predictor'), hyper, formulation);
    return { queries: decoded, masks: maskOf.full(decoded) };
  });
  const logits = g.scope('class_embed', () => classHead(g, queries, head, hyper));

  g.output('pred_logits', logits, [hyper.decoder.queries, hyper.decoder.classes + 1]);
  g.output('pred_masks', masks, [hyper.decoder.queries, 'mask_height', 'mask_width']);
  if (kind === 'single') {
    const semantic = g.scope('semantic', () => semanticHead(g, logits, masks, padded, hyper));
    g.output('semantic', semantic, [hyper.decoder.classes, 'padded_height', 'padded_width']);
  }
}

function untakenTensors(modules: readonly CheckpointState[]): string[] {
  const names = modules.flatMap((module) => module.untaken()).filter((name) => !NO_WEIGHT.test(name));
  if (names.length === 0) return [];
  const rest = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return [
    `The checkpoint has tensors that M2FP's network has no place for, so that they were left out: ` +
      `${names.slice(0, LISTED).join(', ')}${rest}. If the network was changed, results may be wrong.`,
  ];
}

/**
 * Normalised [1, 3, H, W], zeros at the right and bottom up to multiples of 32.
 * @param image [height, width, 3]
 * @param planes the same, [3, height, width]
 */
function normalize(g: GraphBuilder, image: Value, planes: Value): Value {
  const perChannel = (values: readonly number[]) => g.floats(values, [3, 1, 1]);
  const normal = g.div(g.sub(planes, perChannel(PIXEL_MEAN)), perChannel(PIXEL_STD));
  // (-size) mod 32, with ONNX's Mod taking the divisor's sign.
  const missing = (axis: number) =>
    g.mod(g.sub(g.integers([0]), g.dim(image, axis)), g.integers([DIVISIBILITY]));
  const enlarged = g.pad(normal, [0, 0, 0, 0, missing(0), missing(1)]);
  return g.reshape(enlarged, [1, 3, g.dim(enlarged, 1), g.dim(enlarged, 2)]);
}
