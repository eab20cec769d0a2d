/** What the children and workers that tests play find in every picture, and the network input that tests send them. */
import type { ChildParsing } from '../../../src/engine/protocol.ts';
import type { NetworkInput } from '../../../src/image/types.ts';

/** All that is found but for the labels, which carry what a test asks about. */
export function found(): Omit<ChildParsing, 'labels' | 'timing'> {
  return {
    width: 3,
    height: 2,
    labelMap: Buffer.from([0, 1, 2, 3, 4, 5]),
    personMap: Buffer.from([0, 0, 1, 1, 2, 2]),
    persons: [],
    parts: [],
    doubtful: { persons: [], parts: [] },
  };
}

/** How long that took, milliseconds. */
export const TIMING = { decode: 1, preprocess: 2, inference: 3, postprocess: 4 };

/** Two pixels that a preprocess node made of a source picture. */
export function networkInput(): NetworkInput {
  return {
    type: 'm2fp-input',
    width: 2,
    height: 1,
    data: Buffer.from([1, 2, 3, 4, 5, 6]),
    crop: { x: 0, y: 0, width: 2, height: 1 },
    rule: { kind: 'short-side', shortSide: 32, longSide: 96 },
    source: { image: Buffer.from('source'), width: 20, height: 10 },
  };
}
