/**
 * What this machine's convolutions reach right now: a chain of 3 x 3 convolutions of the shape that most of
 * ResNet-101's work has (res4 of a 640 x 960 picture). The network's speed is told as a share of it.
 */
import { GraphBuilder, type Graph } from '../src/onnx/graph.ts';
import { literal } from '../src/onnx/weight.ts';

const CHANNELS = 256;
const HEIGHT = 40;
const WIDTH = 60;
const LAYERS = 12;

/** Operations of one run. */
export const PROBE_FLOPS = LAYERS * 2 * 9 * CHANNELS * CHANNELS * HEIGHT * WIDTH;

/** The shape of the input `x`. */
export const PROBE_INPUT = [1, CHANNELS, HEIGHT, WIDTH];

export function convolutionProbe(): Graph {
  const g = new GraphBuilder();
  let x = g.input('x', 'float32', PROBE_INPUT);
  for (let layer = 0; layer < LAYERS; layer++) {
    const values = Float32Array.from(
      { length: CHANNELS * CHANNELS * 9 },
      (_, i) => Math.sin(i + layer) * 0.02,
    );
    const weight = literal(values, [CHANNELS, CHANNELS, 3, 3]);
    x = g.relu(g.conv(x, { weight, bias: literal(new Float32Array(CHANNELS)) }));
  }
  g.output('y', x, PROBE_INPUT);
  return g.finish();
}
