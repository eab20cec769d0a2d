/** LabelMe (https://github.com/wkentaro/labelme): a JSON beside each picture. */
import { encodeNumbers } from '../../parsing/colorize/indexed-png.ts';
import { bridged } from '../../parsing/masks/bridges.ts';
import { coverOf } from '../../parsing/masks/masks.ts';
import { polygonsOf } from '../../parsing/masks/polygons.ts';
import type { DataSetPlan } from '../export-options.ts';
import type { Region } from '../sample.ts';
import { pointsOf } from './points.ts';
import type { Format } from './format.ts';

/** Of the program whose files these are like; it warns where the first number is another. */
const VERSION = '5.5.0';

/** What the points of a shape are, and its pixels where it is no polygon. */
interface Drawn {
  shape_type: 'polygon' | 'mask';
  points: number[][];
  /** Base64 of a PNG as large as the box. */
  mask: string | null;
}

export const labelme: Format = {
  folder: () => '',
  async picture({ regions, categories, width, height }, { stem, image }, plan) {
    const shapes: object[] = [];
    for (const region of regions) {
      const { category, person } = region;
      for (const drawn of await drawnOf(region, plan)) {
        shapes.push({
          label: categories[category]!.name,
          points: drawn.points,
          group_id: person,
          description: '',
          shape_type: drawn.shape_type,
          flags: {},
          mask: drawn.mask,
        });
      }
    }
    const json = {
      version: VERSION,
      flags: {},
      shapes,
      imagePath: image,
      imageData: null,
      imageHeight: height,
      imageWidth: width,
    };
    return { files: [{ path: `${stem}.json`, content: `${JSON.stringify(json)}\n` }] };
  },
  index: (view) => [
    { path: 'labels.txt', pieces: ['__ignore__\n', ...view.categories.map(({ name }) => `${name}\n`)] },
  ],
  readme: `LabelMe. Beside each picture NAME.json. "group_id" is the number of the person in its picture that a shape belongs to: shapes of
one label and one group_id are one thing, also where it is in several pieces. A hole of a polygon is joined to its border by a line
that is walked there and back.

  labelme . --labels labels.txt
`,
};

async function drawnOf({ mask, box }: Region, { shapes, iou }: DataSetPlan): Promise<Drawn[]> {
  if (shapes === 'polygons') {
    const drawn: Drawn[] = [];
    for (const polygon of await polygonsOf(mask, { iou })) {
      drawn.push({ shape_type: 'polygon', points: pointsOf(await bridged(polygon)), mask: null });
    }
    return drawn;
  }
  const { x, y, width, height } = box;
  const { alpha } = await coverOf([mask], box);
  const png = await encodeNumbers(alpha, width, height);
  const points = [
    [x, y],
    [x + width - 1, y + height - 1],
  ];
  return [{ shape_type: 'mask', points, mask: png.toString('base64') }];
}
