/** What there is to count in a drawn sequence, by its truth: whose number and box is known in every frame. */
import type { Sequence } from '../../../bench/track/sequences.ts';
import type { Area } from '../../../src/people/zones/areas.ts';

/** How often something happens: `new`, `gone`, `enter NAME`, `leave NAME`, `cross NAME in`, `cross NAME out`. */
export type Counts = Record<string, number>;

/** From the left, as a share of the width. A zone is all that lies left of its edge, a line goes down there. */
const LEFT = 0.33;
const MIDDLE = 0.6;
/** How far somebody must have gone beyond it, as a share of the own height, so that swinging legs count for nothing. */
const MARGIN = 0.05;

/** What the tracking node of the flow has in its form. */
export const AREAS: Area[] = [
  {
    name: 'left',
    kind: 'zone',
    points: [
      [0, 0],
      [LEFT, 0],
      [LEFT, 1],
      [0, 1],
    ],
  },
  {
    name: 'middle',
    kind: 'line',
    points: [
      [MIDDLE, 1],
      [MIDDLE, 0],
    ],
  },
];

/** The same counts by hand: of edges that go straight down, only how far from the left somebody is counts. */
export function truthOf({ frames }: Sequence): Counts {
  const counts: Counts = {};
  const ids = new Set(frames.flatMap(({ truth }) => truth));
  for (const id of ids) {
    const way = frames.flatMap(({ truth, parsing: { persons, width } }) => {
      const seen = truth.indexOf(id);
      if (seen < 0) return [];
      const { x, width: wide, height } = persons[seen]!.box;
      return [{ at: (x + wide / 2) / width, margin: (MARGIN * height) / width }];
    });
    count(counts, 'new');
    count(counts, 'gone');
    let isInside = false;
    let side = 0;
    for (const { at, margin } of way) {
      if (!isInside && at <= LEFT) {
        isInside = true;
        count(counts, 'enter left');
        // Whoever is gone has left it, too.
        count(counts, 'leave left');
      } else if (at > LEFT + margin) isInside = false;
      if (side !== 0 && Math.abs(at - MIDDLE) < margin) continue;
      const now = Math.sign(at - MIDDLE);
      if (side !== 0 && now !== side) count(counts, `cross middle ${now > 0 ? 'in' : 'out'}`);
      side = now;
    }
  }
  return counts;
}

export function count(counts: Counts, what: string, more = 1): void {
  counts[what] = (counts[what] ?? 0) + more;
}

/** @returns in words where the two are not the same */
export function differences(told: Counts, truth: Counts): string[] {
  const all = [...new Set([...Object.keys(truth), ...Object.keys(told)])].toSorted();
  return all.flatMap((what) => {
    const [here, there] = [told[what] ?? 0, truth[what] ?? 0];
    return here === there ? [] : [`${what}: ${here}, in truth ${there}`];
  });
}
