/** The drawn people of fixtures/make.py as parsings, and what the masks that were made are like. */
import { join } from 'node:path';
import sharp from 'sharp';
import { encodeRle, rleArea, rleBox } from '../../../src/parsing/masks/rle.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { CIHP } from '../support.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
export const SCENES = ['standing', 'dressed', 'couple', 'closeup'] as const;
export type SceneName = (typeof SCENES)[number];

export interface Grid {
  width: number;
  height: number;
  /** width * height bytes, row-major. */
  values: Uint8Array;
}

/** The red (0) or green (1) channel of a fixture. */
export async function channelOf(file: string, channel: 0 | 1): Promise<Grid> {
  const { data, info } = await sharp(join(FIXTURES, `${file}.png`))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const values = Uint8Array.from({ length: width * height }, (_, p) => data[p * channels + channel]!);
  return { width, height, values };
}

/** A parsing with the labels and persons of the maps, one part for each label of each person. */
export async function parsingOfMaps(
  labels: Grid,
  persons: Uint8Array,
  names: readonly string[] = CIHP,
): Promise<Parsing> {
  const { width, height, values } = labels;
  const regionOf = (isInside: (p: number) => boolean) => {
    const mask = encodeRle(
      Uint8Array.from(values, (_, p) => (isInside(p) ? 1 : 0)),
      width,
      height,
    );
    return { score: 0.9, box: rleBox(mask), area: rleArea(mask), mask };
  };
  const ids = [...new Set(persons)].filter((id) => id > 0).toSorted((a, b) => a - b);
  const parts = [0, ...ids].flatMap((id) => {
    const own = new Set(values.filter((_, p) => persons[p] === id));
    return [...own].filter((index) => index > 0).map((index) => ({ id, index }));
  });
  const pixels = Buffer.from(Array.from(values, (label, p) => [200, 5 + 11 * label, p % 251]).flat());
  return {
    image: await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
    width,
    height,
    labels: [...names],
    labelMap: Buffer.from(values),
    personMap: Buffer.from(persons),
    persons: ids.map((id) => ({ id, ...regionOf((p) => persons[p] === id) })),
    parts: parts.map(({ id, index }, at) => ({
      id: at + 1,
      label: names[index]!,
      index,
      person: id === 0 ? null : id,
      ...regionOf((p) => persons[p] === id && values[p] === index),
    })),
    doubtful: { persons: [], parts: [] },
    model: { id: 'test', digest: '0', precision: 'fp32', provider: 'cpu' },
    cached: false,
    timing: { queue: 0, decode: 0, preprocess: 0, inference: 0, postprocess: 0, total: 0 },
  };
}

export async function people(name: SceneName): Promise<Parsing> {
  return parsingOfMaps(await channelOf(name, 0), (await channelOf(name, 1)).values);
}

/** The single channel of a mask, which has to be a PNG of one channel with 8 bits. */
export async function maskOf(png: Buffer): Promise<Grid> {
  const { channels, depth, format, width, height } = await sharp(png).metadata();
  if (format !== 'png' || channels !== 1 || depth !== 'uchar') {
    throw new Error(`a ${format} of ${channels} channels, ${depth}`);
  }
  return { width, height, values: new Uint8Array(await sharp(png).extractChannel(0).raw().toBuffer()) };
}
