/** The mirror image of network input. */
import type { NetworkInput } from './types.ts';

/**
 * `input` with its picture exchanged left for right, as preprocess would have made it of the mirrored picture: the
 * picture keeps its place in a canvas, and the padding stays as it is. (Turning the canvas as a whole would move a
 * picture with an odd margin by one pixel.) The source is that of `input`, which is not mirrored.
 */
export function mirrorInput(input: NetworkInput): NetworkInput {
  const { width, crop, data } = input;
  const mirrored = Buffer.from(data);
  for (let y = crop.y; y < crop.y + crop.height; y++) {
    let from = (y * width + crop.x) * 3;
    let to = (y * width + crop.x + crop.width - 1) * 3;
    for (let x = 0; x < crop.width; x++, from += 3, to -= 3) {
      mirrored[to] = data[from]!;
      mirrored[to + 1] = data[from + 1]!;
      mirrored[to + 2] = data[from + 2]!;
    }
  }
  return { ...input, data: mirrored };
}
