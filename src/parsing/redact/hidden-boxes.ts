/** Where something was hidden, for whoever keeps a record of it. */
import type { Box, Parsing, Person } from '../types.ts';

/** Pixels of the picture; JSON-ready. */
export interface HiddenBox extends Box {
  /** Its id; null: parts of nobody, or the picture as a whole. */
  person: number | null;
  /** The number that a track node gave, null where none did. */
  track: number | null;
}

/** The boxes around what was hidden of each person, by id, then those of nobody. */
export function hiddenBoxes(
  boxes: readonly (Box | null)[],
  personOf: readonly (number | null)[],
  { persons, doubtful }: Parsing,
): HiddenBox[] {
  const all: (Person & { track?: unknown })[] = [...persons, ...doubtful.persons];
  const tracks = new Map(all.map(({ id, track }) => [id, typeof track === 'number' ? track : null]));
  return boxes
    .flatMap((box, region) => {
      const person = personOf[region] ?? null;
      return box === null
        ? []
        : [{ person, track: person === null ? null : (tracks.get(person) ?? null), ...box }];
    })
    .toSorted((a, b) => (a.person ?? Infinity) - (b.person ?? Infinity));
}

const COLUMNS = ['person', 'track', 'x', 'y', 'width', 'height'] as const;

/** The same as CSV (RFC 4180), with a line of names. */
export function boxesAsCsv(boxes: readonly HiddenBox[]): string {
  const lines = boxes.map((box) => COLUMNS.map((name) => box[name] ?? '').join(','));
  return [COLUMNS.join(','), ...lines].map((line) => `${line}\r\n`).join('');
}
