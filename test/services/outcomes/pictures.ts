/** Pictures that can be told apart by what is answered: no two have the same size. */
import sharp from 'sharp';
import { twoPeople } from '../../support/images.ts';
import type { Random } from '../support/random.ts';

export interface Picture {
  width: number;
  height: number;
  bytes: Buffer;
}

const COUNT = 40;
const SMALLEST = 120;

/** A body of one megabyte is the largest that the flow takes. */
export const MAX_BODY = 1;
const MEBIBYTE = 2 ** 20;

export function drawPictures(): Promise<Picture[]> {
  return Promise.all(
    Array.from({ length: COUNT }, async (_, i) => {
      const [width, height] = [SMALLEST + i, SMALLEST + 2 * COUNT - i];
      const bytes = await sharp(twoPeople).resize(width, height, { fit: 'fill' }).jpeg().toBuffer();
      return { width, height, bytes };
    }),
  );
}

/** The same picture with a tail that no decoder reads, unlike all before: no cache answers it. */
export function unlike({ bytes }: Picture, random: Random): Buffer {
  const tail = Buffer.alloc(8);
  tail.writeDoubleLE(random.next());
  return Buffer.concat([bytes, tail]);
}

/** A picture of which the second half is missing. */
export function damaged({ bytes }: Picture): Buffer {
  return bytes.subarray(0, bytes.length / 2);
}

export function oversized(random: Random): Buffer {
  return Buffer.alloc(MAX_BODY * MEBIBYTE + 1 + random.below(MEBIBYTE));
}
