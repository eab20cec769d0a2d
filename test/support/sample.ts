/** What the bundled sample with two people shows, and pictures that are made of it. */
import { join } from 'node:path';
import sharp from 'sharp';
import { root } from './installed-package.ts';
import { twoPeople } from './images.ts';

/** CIHP's numbers of what the sample is made of. */
export const FACE = 13;
export const PANTS = 9;
const GARMENTS = [5, 6, 7];

const sampleLabels: Promise<Buffer> = sharp(join(root, 'models/demo/samples/two-people.labels.png'))
  .extractChannel(0)
  .raw()
  .toBuffer();

/** The sample's size in pixels. */
export const { width: WIDTH, height: HEIGHT } = await sharp(twoPeople).metadata();

/** Three bytes of colour for each pixel of a picture. */
export const pixelsOf = (image: Buffer): Promise<Buffer> => sharp(image).removeAlpha().raw().toBuffer();
const encode = (pixels: Buffer): Promise<Buffer> =>
  sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .png()
    .toBuffer();

/** The sample, its garments dyed: as bright as before, in the colour whose channels are shares of the brightness. */
export async function dyed(color: readonly [number, number, number]): Promise<Buffer> {
  const [pixels, labels] = [await pixelsOf(twoPeople), await sampleLabels];
  labels.forEach((label, index) => {
    if (!GARMENTS.includes(label)) return;
    const bright = Math.max(...pixels.subarray(3 * index, 3 * index + 3), 90);
    color.forEach((share, channel) => (pixels[3 * index + channel] = Math.round(share * bright)));
  });
  return encode(pixels);
}

/** A bright wall. */
export const emptyRoom: Promise<Buffer> = encode(Buffer.alloc(3 * WIDTH * HEIGHT, 200));

/** Share of the sample's pixels of a label that are another colour in `after` than in `before`. */
export async function changed(before: Buffer, after: Buffer, label: number): Promise<number> {
  const labels = await sampleLabels;
  const indices = [...labels.keys()].filter((index) => labels[index] === label);
  const other = indices.filter((index) =>
    [0, 1, 2].some((channel) => Math.abs(before[3 * index + channel]! - after[3 * index + channel]!) > 12),
  );
  return other.length / indices.length;
}
