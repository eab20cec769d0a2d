/** YOLO's segmentation (https://docs.ultralytics.com/datasets/segment/): a text beside each picture, one line an instance. */
import { joined } from '../../parsing/masks/bridges.ts';
import { polygonsOf } from '../../parsing/masks/polygons.ts';
import type { Region, Sample } from '../sample.ts';
import type { DataSetView, Format } from './format.ts';

/** Of a share of the picture: a hundredth of a pixel in one of 10,000. */
const DECIMALS = 6;

export const yoloSeg: Format = {
  folder: (subset) => `images/${subset}/`,
  async picture(sample, { subset, stem }, { iou }) {
    const lines: string[] = [];
    for (const region of sample.regions) lines.push(await lineOf(region, sample, iou));
    return { files: [{ path: `labels/${subset}/${stem}.txt`, content: lines.join('') }] };
  },
  index: (view) => [{ path: 'data.yaml', pieces: [yamlOf(view)] }],
  readme: `YOLO segmentation. Pictures: images/train (and images/val). For each one labels/train/NAME.txt: a line for each instance, its
category and its polygon in shares of width and height. YOLO knows neither holes nor instances in several pieces: they are
joined by lines that are walked there and back. It does not know either whose part an instance is. Trainers that round
corners to whole pixels make parts of a pixel or two thicker than they are.
Where no picture is for validation (no share, or too few pictures yet), data.yaml names the training pictures for both.

  yolo segment train data=data.yaml model=yolo11n-seg.pt
`,
};

async function lineOf({ category, mask }: Region, { width, height }: Sample, iou: number): Promise<string> {
  const ring = await joined(await polygonsOf(mask, { iou }));
  const shares = ring.map((value, at) => Number((value / (at % 2 === 0 ? width : height)).toFixed(DECIMALS)));
  return `${category} ${shares.join(' ')}\n`;
}

/** Without "path" folders are those beside the file. A JSON text is a YAML text. */
function yamlOf(view: DataSetView): string {
  const names = view.categories.map(({ name }, at) => `  ${at}: ${JSON.stringify(name)}\n`);
  return `train: images/train\nval: images/${view.count('val') > 0 ? 'val' : 'train'}\nnames:\n${names.join('')}`;
}
