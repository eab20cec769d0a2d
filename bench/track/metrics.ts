/**
 * How well people keep their numbers, by the field's measures:
 *
 * - CLEAR MOT (K. Bernardin and R. Stiefelhagen, "Evaluating Multiple Object Tracking Performance", 2008): in each frame a pair
 *   of truth and track that was a pair in the frame before stays one while it overlaps enough; the rest is assigned by overlap.
 *   MOTA = 1 - (misses + false positives + switches) / truths. A switch: somebody is paired with another track than the last
 *   time that he was paired.
 * - IDF1 (E. Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", 2016): each person
 *   is given the one track, and each track the one person, with which over the whole sequence most frames agree; IDF1 is twice
 *   those frames over the frames of truths and tracks together.
 */
import { assign } from '../../src/people/track/assignment.ts';

/** The people of a frame by their numbers, as truth and tracking have them. */
export interface FramePair {
  truth: readonly number[];
  tracked: readonly number[];
  /** How far each of `truth` and each of `tracked` cover one another: intersection over union. */
  overlap: readonly (readonly number[])[];
}

export interface Figures {
  mota: number;
  idf1: number;
  switches: number;
  misses: number;
  falsePositives: number;
  /** People in all frames: of the truth, of tracking, and those that IDF1 counts as right. */
  truths: number;
  tracked: number;
  identified: number;
}

/** Intersection over union from which on two show the same, as MOTS has it for masks and MOT for boxes. */
const OVERLAP = 0.5;

/** The figures of a sequence, or of several one after the other that have no number in common. */
export function figuresOf(frames: readonly FramePair[]): Figures {
  const last = new Map<number, number>();
  let [switches, misses, falsePositives, truths, tracked] = [0, 0, 0, 0, 0];
  /** How often a person and a track overlap, by both numbers. */
  const together = new Map<number, Map<number, number>>();
  for (const frame of frames) {
    truths += frame.truth.length;
    tracked += frame.tracked.length;
    for (const [row, person] of frame.truth.entries()) {
      for (const [column, track] of frame.tracked.entries()) {
        if (frame.overlap[row]![column]! < OVERLAP) continue;
        const counts = together.get(person) ?? new Map<number, number>();
        together.set(person, counts.set(track, (counts.get(track) ?? 0) + 1));
      }
    }
    const pairs = pairsOf(frame, last);
    misses += frame.truth.length - pairs.length;
    falsePositives += frame.tracked.length - pairs.length;
    for (const [person, track] of pairs) {
      if (last.has(person) && last.get(person) !== track) switches++;
      last.set(person, track);
    }
  }
  const identified = identifiedIn(together);
  return {
    mota: truths === 0 ? 1 : 1 - (misses + falsePositives + switches) / truths,
    idf1: truths + tracked === 0 ? 1 : (2 * identified) / (truths + tracked),
    switches,
    misses,
    falsePositives,
    truths,
    tracked,
    identified,
  };
}

/** Who is who in a frame: those who were stay, where they still fit. */
function pairsOf(
  { truth, tracked, overlap }: FramePair,
  last: ReadonlyMap<number, number>,
): [number, number][] {
  const pairs: [number, number][] = [];
  const rows = new Set(truth.keys());
  const columns = new Set(tracked.keys());
  for (const [row, person] of truth.entries()) {
    const column = tracked.indexOf(last.get(person) ?? NaN);
    if (column < 0 || !columns.has(column) || overlap[row]![column]! < OVERLAP) continue;
    pairs.push([person, tracked[column]!]);
    rows.delete(row);
    columns.delete(column);
  }
  const [left, free] = [[...rows], [...columns]];
  const costs = left.map((row) =>
    free.map((column) => (overlap[row]![column]! < OVERLAP ? Infinity : 1 - overlap[row]![column]!)),
  );
  assign(costs).forEach((at, row) => {
    if (at >= 0) pairs.push([truth[left[row]!]!, tracked[free[at]!]!]);
  });
  return pairs;
}

/** The most frames that one-to-one pairs of persons and tracks can agree in. */
function identifiedIn(together: ReadonlyMap<number, ReadonlyMap<number, number>>): number {
  const tracks = [...new Set([...together.values()].flatMap((row) => [...row.keys()]))];
  const counts = [...together.values()].map((row) => tracks.map((track) => row.get(track) ?? 0));
  // A pair of nobody costs nothing: as many as there can be are paired.
  const pairs = assign(counts.map((row) => row.map((count) => -count)));
  return pairs.reduce((sum, column, row) => sum + (column < 0 ? 0 : counts[row]![column]!), 0);
}
