/** What follows the model in a flow with cameras: the load carries it, and it is measured alone with ten people in full HD. */
import { readOptions } from '../../src/parsing/options/option-table.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { describe } from '../../src/people/describe/describe.ts';
import { Topics } from '../../src/people/track/topics.ts';
import { TRACK_OPTIONS } from '../../src/people/track/track-options.ts';
import { costOf, type StageCost } from '../stage-cost.ts';
import { crowdOf } from '../track/crowd.ts';

export interface Stage {
  name: string;
  /** Milliseconds of processor time that the thread may take for a picture of 1920 x 1080 with ten people. */
  allowed: number;
  /** One for all cameras; `camera` tells them apart, `time` (milliseconds) is when the frame was taken. */
  create: () => (parsing: Parsing, camera: string, time: number) => Promise<unknown>;
}

/** A zone and a line, as a camera at a door would have. */
const ZONES =
  '[{"name": "door", "points": [[0.1, 0.3], [0.5, 0.3], [0.5, 1], [0.1, 1]]}, {"name": "way", "kind": "line", "points": [[0.5, 1], [0.5, 0]]}]';

export const STAGES: readonly Stage[] = [
  {
    name: 'track',
    allowed: 5,
    create: () => {
      const topics = new Topics();
      const options = readOptions(TRACK_OPTIONS, { zones: ZONES });
      return (parsing, camera, time) => topics.track(parsing, camera, time, options);
    },
  },
  { name: 'describe', allowed: 15, create: () => (parsing) => describe(parsing) },
];

export interface StageResult extends StageCost {
  name: string;
  allowed: number;
  persons: number;
}

/** Each stage alone, five frames a second. */
export async function benchStages(): Promise<StageResult[]> {
  const frames = await crowdOf();
  const results: StageResult[] = [];
  for (const { name, allowed, create } of STAGES) {
    const run = create();
    const cost = await costOf((round) => run(frames[round % frames.length]!, 'camera', round * 200));
    results.push({ name, allowed, persons: frames[0]!.persons.length, ...cost });
  }
  return results;
}
