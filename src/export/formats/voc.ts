/** PASCAL VOC's segmentation: PNGs of numbers with VOC's palette, boxes in XML, lists of names. */
import { forEachSlice } from '../../image/slices.ts';
import { encodeNumbers } from '../../parsing/colorize/indexed-png.ts';
import { pascalColor } from '../../parsing/options/palette.ts';
import { paintRegions, type Sample } from '../sample.ts';
import { type DataSetView, type Format, type PictureRecord, type Place, subsetsOf } from './format.ts';
import { escapeXml } from './xml.ts';

const PALETTE = Array.from({ length: 256 }, (_, index) => pascalColor(index));

/** VOC's number for what must be left out of account. */
const VOID = 255;

export const voc: Format = {
  folder: () => 'JPEGImages/',
  async picture(sample, place) {
    const { width, height, regions } = sample;
    const owners = await paintRegions(sample);
    // A byte has no number for the 255th instance of a picture.
    const classes = Uint8Array.from([
      0,
      ...regions.map(({ category }, at) => (at + 1 < VOID ? category + 1 : VOID)),
    ]);
    const byClass = new Uint8Array(width * height);
    const byObject = new Uint8Array(width * height);
    await forEachSlice(width * height, 3, (first, end) => {
      for (let p = first; p < end; p++) {
        const owner = owners[p]!;
        byClass[p] = classes[owner]!;
        byObject[p] = Math.min(owner, VOID);
      }
    });
    const { stem } = place;
    const png = (values: Uint8Array) => encodeNumbers(values, width, height, PALETTE);
    return {
      files: [
        { path: `SegmentationClass/${stem}.png`, content: await png(byClass) },
        { path: `SegmentationObject/${stem}.png`, content: await png(byObject) },
        { path: `Annotations/${stem}.xml`, content: boxesOf(sample, place) },
      ],
    };
  },
  index: (view) => [
    { path: 'ImageSets/Segmentation/trainval.txt', pieces: names(view.records()) },
    ...subsetsOf(view).map((subset) => ({
      path: `ImageSets/Segmentation/${subset}.txt`,
      pieces: names(view.records(subset)),
    })),
    { path: 'labelmap.txt', pieces: [labelMapOf(view)] },
  ],
  readme: `PASCAL VOC segmentation. Pictures: JPEGImages. SegmentationClass/NAME.png: a pixel's number is its category's line in
labelmap.txt, from 0, the background. SegmentationObject/NAME.png: the number of its object in Annotations/NAME.xml, from 1, which
also tells the box and the person that it belongs to. Where masks overlap, the pixel is that of the higher score. 255 is VOC's
"leave this out of account". Lists of names: ImageSets/Segmentation.
`,
};

function boxesOf({ width, height, regions, categories }: Sample, { image }: Place): string {
  // VOC counts pixels from 1.
  const objects = regions.map(({ category, person, box: { x, y, width: across, height: down } }) => {
    const name = escapeXml(categories[category]!.name);
    const box = `<xmin>${x + 1}</xmin><ymin>${y + 1}</ymin><xmax>${x + across}</xmax><ymax>${y + down}</ymax>`;
    const owner = person === null ? '' : `<person>${person}</person>`;
    return `  <object><name>${name}</name>${owner}<difficult>0</difficult><bndbox>${box}</bndbox></object>\n`;
  });
  return `<annotation>
  <folder>JPEGImages</folder>
  <filename>${escapeXml(image.slice(image.lastIndexOf('/') + 1))}</filename>
  <size><width>${width}</width><height>${height}</height><depth>3</depth></size>
  <segmented>1</segmented>
${objects.join('')}</annotation>
`;
}

async function* names(records: AsyncIterable<PictureRecord>): AsyncIterable<string> {
  for await (const { stem } of records) yield `${stem}\n`;
}

/** CVAT's and Datumaro's list of what the numbers mean. */
function labelMapOf({ categories }: DataSetView): string {
  const lines = ['background', ...categories.map(({ name }) => name.replaceAll(':', ' '))].map(
    (name, at) => `${name}:${pascalColor(at).join(',')}::\n`,
  );
  return `# label:color_rgb:parts:actions\n${lines.join('')}`;
}
