/** Where garments are in a small copy of the picture, and which pixels of it have their colours. */
import { forEachSlice, turns } from '../../image/slices.ts';
import type { RawImage } from '../../image/types.ts';
import type { Parsing } from '../../parsing/types.ts';
import { oklabOf } from '../colors/oklab.ts';
import type { Word } from './words.ts';

/** Pixels of a patch whose colours are looked at, evenly among all. */
const MOST_SAMPLES = 256;
/** Fewer tell no colour. */
const LEAST_SAMPLES = 16;
/** Fewer pixels inside, away from the edge, and those at the edge are looked at, too. */
const LEAST_INSIDE = 40;

/** The pixels of one thing of one person, by their numbers in the small picture, row by row. */
interface Patch {
  all: number[];
  /** Whose neighbours are of the same thing: at an edge colours mix, and masks are off by a pixel. */
  inside: number[];
}

export interface Patches {
  /** The colours (three numbers each, Oklab) of what `name` is of the person `id`; null where too little is seen. */
  samplesOf(id: number, name: string): Promise<Float32Array | null>;
  /** Pairs of persons that touch in the picture, the smaller id first. */
  touching: ReadonlySet<string>;
}

/** The key of a pair in {@link Patches.touching}. */
export function pairKey(a: number, b: number): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/**
 * Looks up in the parsing's maps what each pixel of `image` shows, in slices between turns of the event loop.
 *
 * @param image a copy of the parsing's picture of any size
 * @param words of the parsing's labels, by index
 */
export async function patchesOf(
  parsing: Parsing,
  image: RawImage,
  words: readonly (Word | undefined)[],
): Promise<Patches> {
  const names = [...new Set(words.flatMap((word) => (word === undefined ? [] : [word.name])))];
  const stride = names.length + 1;
  const numberOf = words.map((word) => (word === undefined ? 0 : names.indexOf(word.name) + 1));
  const { keys, persons } = await readMaps(parsing, image, numberOf, stride);
  const patches = new Map<number, Patch>();
  const { width, height } = image;
  await forEachSlice(height, 12 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      for (let x = 0, p = y * width; x < width; x++, p++) {
        const key = keys[p]!;
        if (key % stride === 0) continue;
        let patch = patches.get(key);
        if (patch === undefined) patches.set(key, (patch = { all: [], inside: [] }));
        patch.all.push(p);
        const isInside =
          x > 0 &&
          y > 0 &&
          x < width - 1 &&
          y < height - 1 &&
          keys[p - 1] === key &&
          keys[p + 1] === key &&
          keys[p - width] === key &&
          keys[p + width] === key;
        if (isInside) patch.inside.push(p);
      }
    }
  });
  const pause = turns();
  return {
    touching: touchingOf(persons, width),
    async samplesOf(id, name) {
      const patch = patches.get(id * stride + names.indexOf(name) + 1);
      if (patch === undefined) return null;
      await pause();
      return colorsAt(image, patch.inside.length >= LEAST_INSIDE ? patch.inside : patch.all);
    },
  };
}

/** For each pixel of `image` what it shows of whom (person * stride + number of its word, 0: none), and the person. */
async function readMaps(
  { width: fullWidth, height: fullHeight, labelMap, personMap }: Parsing,
  { width, height }: RawImage,
  numberOf: readonly number[],
  stride: number,
): Promise<{ keys: Uint16Array; persons: Uint8Array }> {
  const keys = new Uint16Array(width * height);
  const persons = new Uint8Array(width * height);
  const columns = Uint32Array.from({ length: width }, (_, x) => Math.floor(((x + 0.5) * fullWidth) / width));
  await forEachSlice(height, 6 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      const row = Math.floor(((y + 0.5) * fullHeight) / height) * fullWidth;
      for (let x = 0, p = y * width; x < width; x++, p++) {
        const at = row + columns[x]!;
        persons[p] = personMap[at]!;
        keys[p] = persons[p]! * stride + (numberOf[labelMap[at]!] ?? 0);
      }
    }
  });
  return { keys, persons };
}

function touchingOf(persons: Uint8Array, width: number): Set<string> {
  const pairs = new Set<string>();
  const touch = (id: number, other: number): void => {
    if (other !== 0 && other !== id) pairs.add(pairKey(id, other));
  };
  for (let p = 1; p < persons.length; p++) {
    const id = persons[p]!;
    if (id === 0) continue;
    const [before, above] = [persons[p - 1]!, p < width ? 0 : persons[p - width]!];
    if (before !== id && p % width !== 0) touch(id, before);
    if (above !== id) touch(id, above);
  }
  return pairs;
}

function colorsAt({ data, channels }: RawImage, pixels: readonly number[]): Float32Array | null {
  const count = Math.min(pixels.length, MOST_SAMPLES);
  if (count < LEAST_SAMPLES) return null;
  const samples = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const at = pixels[Math.floor(((i + 0.5) * pixels.length) / count)]! * channels;
    samples.set(oklabOf(data[at]!, data[at + 1]!, data[at + 2]!), 3 * i);
  }
  return samples;
}
