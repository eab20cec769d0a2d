/** COCO's panoptic form (https://cocodataset.org/#format-data): a PNG whose colours are numbers, and what they stand for. */
import { encodeImage } from '../../image/encode.ts';
import { forEachSlice } from '../../image/slices.ts';
import { paintRegions, type Sample } from '../sample.ts';
import { cocoBox, cocoCategory, cocoHead, cocoImage, fileName } from './coco.ts';
import { type DataSetView, type Format, jsonLists, type PictureRecord, subsetsOf } from './format.ts';

interface Segment {
  id: number;
  category_id: number;
  area: number;
  bbox: number[];
  iscrowd: 0;
  person: number | null;
}

/** Spreads the numbers of segments over the colours, so that one sees them apart; odd, so that no two are equal. */
const STEP = 0x9e_37_b1;

/** The number of the segment at `place` (from 1): R + 256 G + 65536 B, and never 0, which is nothing. */
function segmentId(place: number): number {
  return (place * STEP) & 0xff_ff_ff;
}

export const cocoPanoptic: Format = {
  folder: (subset) => `images/${subset}/`,
  async picture(sample, { stem, subset }) {
    const owners = await paintRegions(sample);
    const { width, height } = sample;
    const data = Buffer.alloc(3 * width * height);
    await forEachSlice(width * height, 4, (first, end) => {
      for (let p = first; p < end; p++) data.writeUIntLE(segmentId(owners[p]!), 3 * p, 3);
    });
    const png = await encodeImage({ width, height, channels: 3, data }, { format: 'png' });
    return {
      files: [{ path: `annotations/panoptic_${subset}/${stem}.png`, content: png }],
      entry: await segmentsOf(sample, owners),
    };
  },
  index: (view) =>
    subsetsOf(view).map((subset) => ({
      path: `annotations/panoptic_${subset}.json`,
      pieces: jsonLists(headOf(view), {
        images: () => images(view.records(subset)),
        annotations: () => annotations(view.records(subset)),
      }),
    })),
  readme: `COCO panoptic. Pictures: images/train (and images/val). annotations/panoptic_train.json tells of the PNGs in
annotations/panoptic_train: a pixel's segment is R + 256 G + 65536 B, 0 is none. Where masks overlap, the pixel is that of the
higher score, and "area" and "bbox" are those of the pixels that are left. "person" is the number of the person in its picture.
`,
};

/** What is left of the regions once each pixel has only one. */
async function segmentsOf(
  { width, height, regions, categories }: Sample,
  owners: Uint16Array,
): Promise<Segment[]> {
  const found = regions.map(() => ({ area: 0, left: width, top: height, right: -1, bottom: -1 }));
  await forEachSlice(height, 4 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      for (let x = 0, p = y * width; x < width; x++, p++) {
        const segment = found[owners[p]! - 1];
        if (segment === undefined) continue;
        segment.area++;
        segment.left = Math.min(segment.left, x);
        segment.right = Math.max(segment.right, x);
        segment.top = Math.min(segment.top, y);
        segment.bottom = y;
      }
    }
  });
  return found.flatMap(({ area, left, top, right, bottom }, place) => {
    const { category, person } = regions[place]!;
    const box = { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
    const segment: Segment = {
      id: segmentId(place + 1),
      category_id: categories[category]!.id,
      area,
      bbox: cocoBox(box),
      iscrowd: 0,
      person,
    };
    return area === 0 ? [] : [segment];
  });
}

function headOf(view: DataSetView): object {
  const things = view.categories.map((category) => ({ ...cocoCategory(category), isthing: 1 }));
  return { ...cocoHead(view), categories: things };
}

async function* images(records: AsyncIterable<PictureRecord>): AsyncIterable<object> {
  for await (const record of records) yield cocoImage(record, fileName(record));
}

async function* annotations(records: AsyncIterable<PictureRecord>): AsyncIterable<object> {
  for await (const { id, stem, entry } of records) {
    yield { image_id: id, file_name: `${stem}.png`, segments_info: entry };
  }
}
