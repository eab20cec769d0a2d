/** Pictures to send: drawn scenes of bench/scenes at any size. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const SCENES = join(import.meta.dirname, '..', 'scenes', 'Images');

/** JPEG pictures of the given sizes, each of another scene, cut to its shape. */
export async function drawImages(sizes: readonly { width: number; height: number }[]): Promise<Buffer[]> {
  const files = (await readdir(SCENES)).toSorted();
  return Promise.all(
    sizes.map(({ width, height }, i) =>
      sharp(join(SCENES, files[i % files.length]!))
        .resize(width, height, { fit: 'cover' })
        .jpeg()
        .toBuffer(),
    ),
  );
}

/** Takes turns with some pictures. */
export class Images {
  readonly #images: readonly Buffer[];
  #count = 0;

  constructor(images: readonly Buffer[]) {
    this.#images = images;
  }

  /** Its last bytes, which no decoder reads, make it unlike all before: engines parse equal pictures once. */
  next(): Buffer {
    const number = Buffer.alloc(8);
    number.writeDoubleLE(this.#count);
    return Buffer.concat([this.#images[this.#count++ % this.#images.length]!, number]);
  }
}
