/** The label map of one person, without what belongs to others. */
import { forEachSlice } from '../../image/slices.ts';
import { eachColumnRun } from '../masks/masks.ts';
import type { Box, Parsing } from '../types.ts';
import { kindOf, type Kind } from './garments.ts';

export interface PersonLabels {
  /** The piece of the picture that is looked at. */
  window: Box;
  /** Size of the picture, pixels. */
  image: { width: number; height: number };
  /** Size of the window, pixels. */
  width: number;
  height: number;
  /** width * height bytes, row-major: the label index of what is the person's, else 0. */
  labels: Uint8Array;
  /** The same: 1 where somebody else is, or a part of nobody. */
  others: Uint8Array;
  /** What each label index stands for. */
  kinds: readonly Kind[];
}

const OWN = 1;
const FOREIGN = 2;

/**
 * A pixel is the person's where the person map has the person, unless the part that the label map shows there is of somebody
 * else only; where the person map has nobody, it is if a part of the person's shows there.
 * @param person the id; null: all that the parsing has is of one person
 * @param margin pixels around the person that are looked at, too
 * @throws {M2fpError} `M2FP_NO_PARSING` where a mask is damaged
 */
export async function personLabels(
  parsing: Parsing,
  person: number | null,
  margin: number,
): Promise<PersonLabels> {
  const window = person === null ? wholeOf(parsing) : windowAround(parsing, person, margin);
  const { x: left, y: top, width, height } = window;
  const labels = new Uint8Array(width * height);
  const others = new Uint8Array(width * height);
  const claims = person === null ? null : await claimsOf(parsing, person, window);
  await forEachSlice(height, 6 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      let at = (top + y) * parsing.width + left;
      for (let p = y * width; p < (y + 1) * width; p++, at++) {
        const label = parsing.labelMap[at]!;
        const id = parsing.personMap[at]!;
        const claim = claims === null ? OWN : claims[p]!;
        const isOwn =
          claims === null || (id === person ? claim !== FOREIGN : id === 0 && (claim & OWN) !== 0);
        if (isOwn) labels[p] = label;
        else if (label !== 0 || id !== 0) others[p] = 1;
      }
    }
  });
  const image = { width: parsing.width, height: parsing.height };
  return { window, image, width, height, labels, others, kinds: parsing.labels.map(kindOf) };
}

function wholeOf({ width, height }: Parsing): Box {
  return { x: 0, y: 0, width, height };
}

function windowAround(parsing: Parsing, person: number, margin: number): Box {
  const boxes = [
    ...parsing.persons.filter(({ id }) => id === person),
    ...parsing.parts.filter((part) => part.person === person),
  ].map(({ box }) => box);
  const left = Math.max(0, Math.min(...boxes.map(({ x }) => x)) - margin);
  const top = Math.max(0, Math.min(...boxes.map(({ y }) => y)) - margin);
  const right = Math.min(parsing.width, Math.max(...boxes.map(({ x, width }) => x + width)) + margin);
  const bottom = Math.min(parsing.height, Math.max(...boxes.map(({ y, height }) => y + height)) + margin);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Whose parts the label map shows: {@link OWN}, {@link FOREIGN} or both, for each pixel of the window. */
async function claimsOf(parsing: Parsing, person: number, window: Box): Promise<Uint8Array> {
  const claims = new Uint8Array(window.width * window.height);
  for (const part of parsing.parts) {
    if (part.person === null) continue;
    const claim = part.person === person ? OWN : FOREIGN;
    await eachColumnRun(part.mask, (x, top, bottom) => {
      const column = x - window.x;
      if (column < 0 || column >= window.width) return;
      const last = Math.min(bottom, window.y + window.height);
      for (let y = Math.max(top, window.y); y < last; y++) {
        if (parsing.labelMap[y * parsing.width + x] !== part.index) continue;
        claims[(y - window.y) * window.width + column]! |= claim;
      }
    });
  }
  return claims;
}

/** The pixels of the labels that stand for any of `kinds`: 1, else 0. */
export function pixelsOf({ labels, kinds }: PersonLabels, wanted: readonly Kind[]): Promise<Uint8Array> {
  return pixelsWhere(
    labels,
    kinds.map((kind, index) => index > 0 && wanted.includes(kind)),
  );
}

/** The pixels whose label index is true in `isWanted`: 1, else 0. */
export async function pixelsWhere(labels: Uint8Array, isWanted: readonly boolean[]): Promise<Uint8Array> {
  const values = Uint8Array.from({ length: 256 }, (_, index) => (isWanted[index] === true ? 1 : 0));
  const pixels = new Uint8Array(labels.length);
  await forEachSlice(labels.length, 2, (first, end) => {
    for (let p = first; p < end; p++) pixels[p] = values[labels[p]!]!;
  });
  return pixels;
}
