/** Tracking over a sequence, with what the measures want of it. */
import { type GivenOptions, readOptions } from '../../src/parsing/options/option-table.ts';
import { rleToRuns } from '../../src/parsing/masks/rle.ts';
import { runsOverlap } from '../../src/parsing/masks/runs.ts';
import type { Parsing, Person } from '../../src/parsing/types.ts';
import { Topics } from '../../src/people/track/topics.ts';
import { TRACK_OPTIONS } from '../../src/people/track/track-options.ts';
import type { NumberedPerson } from '../../src/people/track/types.ts';
import type { FramePair } from './metrics.ts';
import type { Sequence } from './sequences.ts';

/** Tracks a sequence. @param parse gives what is tracked for a parsing that knows all */
export async function follow(
  { frames }: Sequence,
  parse: (parsing: Parsing) => Promise<Parsing>,
  given: GivenOptions<typeof TRACK_OPTIONS> = {},
): Promise<FramePair[]> {
  const topics = new Topics();
  const options = readOptions(TRACK_OPTIONS, given);
  const pairs: FramePair[] = [];
  for (const { parsing, time, truth } of frames) {
    const { parsing: tracked } = await topics.track(await parse(parsing), 'camera', time, options);
    pairs.push(compared(truth, parsing.persons, tracked.persons));
  }
  return pairs;
}

/** Truth and tracking of a frame, compared by masks. */
function compared(
  truth: readonly number[],
  persons: readonly Person[],
  numbered: readonly NumberedPerson[],
): FramePair {
  const tracked = numbered.filter(({ track }) => track !== null);
  const runs = tracked.map(({ mask }) => rleToRuns(mask));
  const overlap = persons.map((person) => {
    const own = rleToRuns(person.mask);
    return tracked.map(({ area }, at) => {
      const both = runsOverlap(own, runs[at]!);
      return both / (person.area + area - both);
    });
  });
  return { truth, tracked: tracked.map(({ track }) => track!), overlap };
}

/** Sequences one after the other, with numbers that no other one has. */
export function together(sequences: readonly (readonly FramePair[])[]): FramePair[] {
  return sequences.flatMap((pairs, index) => {
    const shifted = (list: readonly number[]) => list.map((id) => id + 1000 * (index + 1));
    return pairs.map(({ truth, tracked, overlap }) => ({
      truth: shifted(truth),
      tracked: shifted(tracked),
      overlap,
    }));
  });
}
