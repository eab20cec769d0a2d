/** Pictures and their truth in the layout of CIHP, read one at a time. */
import { readdir, readFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { M2fpError } from '../../src/errors.ts';
import { type LabelImage, readLabelPng } from './label-png.ts';

/** What is true of each pixel, row-major. */
export interface Truth {
  width: number;
  height: number;
  /** Label index, 0 background. */
  categories: Uint16Array;
  /** Number of the person, 0 nobody. */
  persons: Uint16Array;
  /** Number of the part instance (one label of one person), 0 none. */
  instances: Uint16Array;
}

export interface Scene {
  name: string;
  /** Encoded, as it is in the folder. */
  image: Buffer;
  truth: Truth;
}

const IMAGES = 'Images';
const TRUTHS = { categories: 'Category_ids', persons: 'Human_ids', instances: 'Instance_ids' } as const;
const IMAGE_FILE = /\.(?:jpe?g|png)$/i;

/**
 * The names of the pictures in `folder`, sorted.
 * @throws M2FP_BAD_OPTION where there are none
 */
export async function listScenes(folder: string): Promise<string[]> {
  const files = await readdir(join(folder, IMAGES)).catch(() => []);
  const names = files.filter((file) => IMAGE_FILE.test(file)).toSorted();
  if (names.length === 0) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `${folder} holds no pictures in "${IMAGES}": --data takes a folder in CIHP's layout, with ` +
        `${IMAGES}, ${Object.values(TRUTHS).join(', ')}.`,
    );
  }
  return names;
}

/**
 * The picture `file` of the folder and its truth: PNGs of the same name in `Category_ids`, `Human_ids` and
 * `Instance_ids`. (The lists that CIHP has beside the latter tell the label of each part; here it is that of the
 * part's pixels in `Category_ids`.)
 *
 * @throws M2FP_BAD_IMAGE where a truth is missing, damaged or of another size than the others
 */
export async function readScene(folder: string, file: string): Promise<Scene> {
  const { name } = parse(file);
  const read = async (kind: keyof typeof TRUTHS): Promise<LabelImage> => {
    const path = join(folder, TRUTHS[kind], `${name}.png`);
    const png = await readFile(path).catch((error: unknown) => {
      throw new M2fpError(
        'M2FP_BAD_IMAGE',
        `The truth of ${file} cannot be read: ${(error as Error).message}`,
      );
    });
    return readLabelPng(png, path);
  };
  const [image, categories, persons, instances] = await Promise.all([
    readFile(join(folder, IMAGES, file)),
    read('categories'),
    read('persons'),
    read('instances'),
  ]);
  const { width, height } = categories;
  for (const other of [persons, instances]) {
    if (other.width !== width || other.height !== height) {
      throw new M2fpError('M2FP_BAD_IMAGE', `The label images of ${file} differ in size.`);
    }
  }
  const truth = {
    width,
    height,
    categories: categories.data,
    persons: persons.data,
    instances: instances.data,
  };
  return { name, image, truth };
}
