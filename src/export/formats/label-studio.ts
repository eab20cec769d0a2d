/** Label Studio (https://labelstud.io/guide/predictions): tasks whose predictions are the regions, `tasks.json`. */
import { bridged } from '../../parsing/masks/bridges.ts';
import { polygonsOf } from '../../parsing/masks/polygons.ts';
import { hexOf, pascalColor } from '../../parsing/options/palette.ts';
import type { DataSetPlan } from '../export-options.ts';
import type { Region, Sample } from '../sample.ts';
import { brushRle } from './brush-rle.ts';
import { type DataSetView, type Format, jsonItems, type PictureRecord } from './format.ts';
import { pointsOf } from './points.ts';
import { rowRuns } from './row-runs.ts';
import { escapeXml } from './xml.ts';

/** The tags of the labelling interface. */
const TAGS = { polygons: 'PolygonLabels', masks: 'BrushLabels' } as const;

/** Of a percent of the picture. */
const DECIMALS = 4;

export const labelStudio: Format = {
  folder: () => 'images/',
  async picture(sample, { image }, plan) {
    const result: object[] = [];
    for (const region of sample.regions) {
      for (const value of await valuesOf(region, sample, plan)) {
        result.push(resultOf(region, sample, plan, value, `r${result.length + 1}`));
      }
    }
    const { id } = sample.parsing.model;
    const entry = {
      // Files of its own server, below LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT.
      data: { image: `/data/local-files/?d=${image.split('/').map(encodeURIComponent).join('/')}` },
      predictions: [{ model_version: id, result }],
    };
    return { files: [], entry };
  },
  index: (view) => [
    { path: 'tasks.json', pieces: tasks(view) },
    { path: 'label-config.xml', pieces: [configOf(view)] },
  ],
  readme: `Label Studio. label-config.xml is the labelling interface, tasks.json the tasks with predictions, whose pictures are files of
Label Studio's own machine: start it with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT set
to this folder, and add this folder's images as local storage. "meta.text" of a region is the person in its picture that it belongs to.
Polygons are in percent; a hole is joined to the border by a line that is walked there and back, and a part in several pieces is
several regions. Masks are Label Studio's own run lengths.
`,
};

/** What a region is drawn as, in the words of its tag. */
async function valuesOf(
  { mask }: Region,
  { width, height }: Sample,
  { shapes, iou }: DataSetPlan,
): Promise<object[]> {
  if (shapes === 'masks') {
    return [{ format: 'rle', rle: brushRle(await rowRuns(mask, { x: 0, y: 0, width, height })) }];
  }
  const percent = (value: number, side: number): number => Number(((100 * value) / side).toFixed(DECIMALS));
  const values: object[] = [];
  for (const polygon of await polygonsOf(mask, { iou })) {
    const points = pointsOf(await bridged(polygon)).map(([x, y]) => [
      percent(x!, width),
      percent(y!, height),
    ]);
    values.push({ points, closed: true });
  }
  return values;
}

function resultOf(
  { category, person, score }: Region,
  { width, height, categories }: Sample,
  { shapes }: DataSetPlan,
  value: object,
  id: string,
): object {
  const type = TAGS[shapes].toLowerCase();
  return {
    id,
    type,
    from_name: 'label',
    to_name: 'image',
    original_width: width,
    original_height: height,
    image_rotation: 0,
    score: Math.round(score * 1e4) / 1e4,
    value: { ...value, [type]: [categories[category]!.name] },
    ...(person !== null && { meta: { text: [`person ${person}`] } }),
  };
}

async function* tasks(view: DataSetView): AsyncIterable<string> {
  yield '[';
  yield* jsonItems(entries(view.records()));
  yield ']\n';
}

async function* entries(records: AsyncIterable<PictureRecord>): AsyncIterable<object> {
  for await (const { id, entry } of records) yield { id, ...(entry as object) };
}

function configOf({ plan, categories }: DataSetView): string {
  const tag = TAGS[plan.shapes];
  const labels = categories.map(
    ({ name }, at) => `    <Label value="${escapeXml(name)}" background="${hexOf(pascalColor(at + 1))}"/>\n`,
  );
  return `<View>
  <Image name="image" value="$image" zoom="true"/>
  <${tag} name="label" toName="image">
${labels.join('')}  </${tag}>
</View>
`;
}
