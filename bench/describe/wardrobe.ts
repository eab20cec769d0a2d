/** The drawn people of bench/wardrobe, whose clothes have known paints, and parsings of their true masks. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeRle, rleArea, rleBox } from '../../src/parsing/masks/rle.ts';
import type { Parsing, Rle } from '../../src/parsing/types.ts';
import { LABEL_SETS } from '../../src/m2fp/labels.ts';

export interface WardrobePart {
  person: number;
  label: string;
  mask: Rle;
  /** What it was painted with, the main one first: names of XKCD's survey and of CSS, not ours. Absent: skin and the like. */
  paints?: string[];
}

export interface WardrobeScene {
  name: string;
  width: number;
  height: number;
  /** Each has a picture of its own. */
  lights: string[];
  persons: { person: number; mask: Rle }[];
  parts: WardrobePart[];
}

export const WARDROBE = join(import.meta.dirname, '..', 'wardrobe');

export async function readWardrobe(folder = WARDROBE): Promise<WardrobeScene[]> {
  return JSON.parse(await readFile(join(folder, 'truth.json'), 'utf8')) as WardrobeScene[];
}

/** The encoded picture of a scene under a light. */
export function wardrobeImage(scene: WardrobeScene, light: string, folder = WARDROBE): Promise<Buffer> {
  return readFile(join(folder, `${scene.name}-${light}.jpg`));
}

/** What a model that makes no mistake would find, with CIHP's labels. */
export function trueParsing({ width, height, persons, parts }: WardrobeScene, image: Buffer): Parsing {
  const labels = [...LABEL_SETS.cihp.labels];
  const [labelMap, personMap] = [Buffer.alloc(width * height), Buffer.alloc(width * height)];
  const paint = (map: Buffer, mask: Rle, value: number): void => {
    for (const [p, inside] of decodeRle(mask).entries()) if (inside === 1) map[p] = value;
  };
  const region = (mask: Rle) => ({ score: 1, mask, box: rleBox(mask), area: rleArea(mask) });
  for (const { person, mask } of persons) paint(personMap, mask, person);
  for (const { label, mask } of parts) paint(labelMap, mask, labels.indexOf(label));
  return {
    image,
    width,
    height,
    labels,
    labelMap,
    personMap,
    persons: persons.map(({ person, mask }) => ({ id: person, ...region(mask) })),
    parts: parts.map(({ person, label, mask }, i) => ({
      id: i + 1,
      label,
      index: labels.indexOf(label),
      person,
      ...region(mask),
    })),
    doubtful: { persons: [], parts: [] },
    model: { id: 'truth', digest: '0', precision: 'fp32', provider: 'cpu' },
    cached: false,
    timing: { queue: 0, decode: 0, preprocess: 0, inference: 0, postprocess: 0, total: 0 },
  };
}
