/** COCO's instances (https://cocodataset.org/#format-data): `annotations/instances_train.json`. */
import { bridged } from '../../parsing/masks/bridges.ts';
import { polygonsOf } from '../../parsing/masks/polygons.ts';
import type { Box, Rle } from '../../parsing/types.ts';
import type { Category } from '../categories.ts';
import type { DataSetPlan } from '../export-options.ts';
import type { Region } from '../sample.ts';
import { type DataSetView, type Format, jsonLists, type PictureRecord, subsetsOf } from './format.ts';

/** An annotation without the numbers that it has in its data set. */
export interface CocoAnnotation {
  category_id: number;
  segmentation: Rle | number[][];
  bbox: [number, number, number, number];
  area: number;
  iscrowd: 0;
  /** As in COCO's results. */
  score: number;
  /** Ours: the person that a part belongs to. */
  person: number | null;
  /** The same where CVAT and Datumaro look for what COCO does not have. */
  attributes?: { person: number };
}

/** COCO's lists of polygons have no holes, and some readers know no run lengths: both forms are of single things, no crowd. */
export async function cocoSegmentation(
  mask: Rle,
  { shapes, iou }: Pick<DataSetPlan, 'shapes' | 'iou'>,
): Promise<Rle | number[][]> {
  if (shapes === 'masks') return { size: [...mask.size], counts: mask.counts };
  const rings: number[][] = [];
  for (const polygon of await polygonsOf(mask, { iou })) rings.push(await bridged(polygon));
  return rings;
}

export async function cocoAnnotation(
  { person, score, box, area, mask }: Omit<Region, 'category'>,
  category: number,
  form: Pick<DataSetPlan, 'shapes' | 'iou'>,
): Promise<CocoAnnotation> {
  return {
    category_id: category,
    segmentation: await cocoSegmentation(mask, form),
    bbox: cocoBox(box),
    area,
    iscrowd: 0,
    score: Math.round(score * 1e4) / 1e4,
    person,
  };
}

export function cocoBox({ x, y, width, height }: Box): CocoAnnotation['bbox'] {
  return [x, y, width, height];
}

export function cocoCategory({ id, name }: Category): object {
  return { id, name, supercategory: 'person' };
}

export function cocoImage(
  { id, width, height }: { id: number; width: number; height: number },
  file: string,
) {
  return { id, width, height, file_name: file };
}

export const coco: Format = {
  folder: (subset) => `images/${subset}/`,
  async picture({ regions, categories }, _place, plan) {
    const entry: CocoAnnotation[] = [];
    for (const region of regions) {
      const { person } = region;
      const annotation = await cocoAnnotation(region, categories[region.category]!.id, plan);
      entry.push(person === null ? annotation : { ...annotation, attributes: { person } });
    }
    return { files: [], entry };
  },
  index: (view) =>
    subsetsOf(view).map((subset) => ({
      path: `annotations/instances_${subset}.json`,
      pieces: jsonLists(cocoHead(view), {
        images: () => images(view.records(subset)),
        annotations: () => annotations(view.records(subset)),
      }),
    })),
  readme: `COCO instances. Pictures: images/train (and images/val). Annotations: annotations/instances_train.json (and _val).
"person" of an annotation, and "attributes.person", is the number of the person in its picture that a part belongs to.
iscrowd is 0 everywhere, with polygons and with run lengths: each annotation is one thing. A hole of a polygon is joined to
its border by a line that is walked there and back.

  from pycocotools.coco import COCO
  coco = COCO('annotations/instances_train.json')
`,
};

export function cocoHead({ categories }: Pick<DataSetView, 'categories'>): object {
  return {
    info: { description: 'M2FP human parsing', version: '1.0' },
    licenses: [],
    categories: categories.map(cocoCategory),
  };
}

async function* images(records: AsyncIterable<PictureRecord>): AsyncIterable<object> {
  for await (const record of records) yield cocoImage(record, fileName(record));
}

/** COCO's readers add the folder of the subset. */
export function fileName({ image }: Pick<PictureRecord, 'image'>): string {
  return image.slice(image.lastIndexOf('/') + 1);
}

async function* annotations(records: AsyncIterable<PictureRecord>): AsyncIterable<object> {
  for await (const { id, first, entry } of records) {
    for (const [at, annotation] of (entry as CocoAnnotation[]).entries()) {
      yield { id: first + at, image_id: id, ...annotation };
    }
  }
}
