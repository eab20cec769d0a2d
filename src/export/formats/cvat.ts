/** CVAT for images 1.1 (https://docs.cvat.ai/docs/other/xml_format): `annotations.xml`. */
import { bridged } from '../../parsing/masks/bridges.ts';
import { polygonsOf } from '../../parsing/masks/polygons.ts';
import { hexOf, pascalColor } from '../../parsing/options/palette.ts';
import type { DataSetPlan } from '../export-options.ts';
import type { Region, Sample } from '../sample.ts';
import { fileName } from './coco.ts';
import { type DataSetView, type Format, type PictureRecord } from './format.ts';
import { pointsOf } from './points.ts';
import { rowRuns } from './row-runs.ts';
import { escapeXml } from './xml.ts';

export const cvat: Format = {
  folder: () => 'images/',
  async picture(sample, _place, plan) {
    const shapes: string[] = [];
    for (const region of sample.regions) shapes.push(await shapesOf(region, sample, plan));
    return { files: [], entry: shapes.join('') };
  },
  index: (view) => [{ path: 'annotations.xml', pieces: document(view) }],
  readme: `CVAT for images 1.1: annotations.xml and images. To import it, make a task with the pictures in images and the labels of
annotations.xml, then "Upload annotations", "CVAT 1.1". "group_id" and the attribute "person" are the number of the person in its
picture that a shape belongs to (0: nobody). A hole of a polygon is joined to its border by a line that is walked there and back;
a part in several pieces is several polygons. Masks are the very pixels, run by run along the rows of their box.
`,
};

async function shapesOf(
  region: Region,
  { categories }: Sample,
  { shapes, iou }: DataSetPlan,
): Promise<string> {
  const { category, mask, box } = region;
  // Whole numbers: nobody is 0.
  const person = region.person ?? 0;
  const group = person === 0 ? '' : ` group_id="${person}"`;
  const head = `label="${escapeXml(categories[category]!.name)}" source="auto" occluded="0"`;
  const tail = (name: string) => `><attribute name="person">${person}</attribute></${name}>\n`;
  if (shapes === 'masks') {
    const { x, y, width, height } = box;
    const rle = (await rowRuns(mask, box)).join(', ');
    const at = `left="${x}" top="${y}" width="${width}" height="${height}"`;
    return `    <mask ${head} rle="${rle}" ${at} z_order="0"${group}${tail('mask')}`;
  }
  let text = '';
  for (const polygon of await polygonsOf(mask, { iou })) {
    const points = pointsOf(await bridged(polygon)).map(([x, y]) => `${x!.toFixed(2)},${y!.toFixed(2)}`);
    text += `    <polygon ${head} points="${points.join(';')}" z_order="0"${group}${tail('polygon')}`;
  }
  return text;
}

async function* document(view: DataSetView): AsyncIterable<string> {
  const labels = view.categories.map(labelOf);
  yield `<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <name>M2FP human parsing</name>
      <size>${view.count()}</size>
      <mode>annotation</mode>
      <labels>
${labels.join('')}      </labels>
    </task>
  </meta>
`;
  for await (const record of view.records()) yield imageOf(record);
  yield '</annotations>\n';
}

function labelOf({ name }: DataSetView['categories'][number], at: number): string {
  const color = hexOf(pascalColor(at + 1));
  return `        <label>
          <name>${escapeXml(name)}</name>
          <color>${color}</color>
          <attributes>
            <attribute>
              <name>person</name>
              <mutable>False</mutable>
              <input_type>number</input_type>
              <default_value>0</default_value>
              <values>0
255
1</values>
            </attribute>
          </attributes>
        </label>
`;
}

function imageOf(record: PictureRecord): string {
  const { id, subset, width, height, entry } = record;
  // CVAT counts from 0.
  const head = `id="${id - 1}" name="${escapeXml(fileName(record))}" subset="${subset}" width="${width}" height="${height}"`;
  return `  <image ${head}>\n${entry as string}  </image>\n`;
}
