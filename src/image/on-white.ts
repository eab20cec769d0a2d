/** Pictures with transparency, as one sees them on a white page. */
import { forEachSlice } from './slices.ts';
import type { RawImage } from './types.ts';

/**
 * The picture laid on white, 3 channels: opaque pixels stay as they are, wholly transparent ones are white whatever
 * their colour is, the others are mixed by their opacity. The result takes the memory of `image`, whose pixels are
 * gone afterwards: a second copy of a large one is more than decoding may take.
 *
 * @param image 4 channels, not premultiplied
 */
export async function onWhite({ width, height, data }: RawImage): Promise<RawImage> {
  await forEachSlice(width * height, 6, (first, end) => {
    for (let p = first; p < end; p++) {
      const [from, to] = [4 * p, 3 * p];
      const alpha = data[from + 3]!;
      const white = 255 * (255 - alpha);
      // In place: nothing is written before it was read.
      data[to] = Math.round((data[from]! * alpha + white) / 255);
      data[to + 1] = Math.round((data[from + 1]! * alpha + white) / 255);
      data[to + 2] = Math.round((data[from + 2]! * alpha + white) / 255);
    }
  });
  return { width, height, channels: 3, data: data.subarray(0, 3 * width * height) };
}
