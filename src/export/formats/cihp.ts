/** CIHP's own layout, which parsing networks are trained on and bench/ reads: PNGs of labels, persons and instances. */
import { forEachSlice } from '../../image/slices.ts';
import { encodeNumbers } from '../../parsing/colorize/indexed-png.ts';
import { eachColumnRun } from '../../parsing/masks/masks.ts';
import type { Parsing, Part } from '../../parsing/types.ts';
import { type Format, type PictureRecord, subsetsOf } from './format.ts';

/** A byte has no number for more instances. */
const MOST = 255;

export const cihp: Format = {
  folder: () => 'Images/',
  async picture({ parsing }, { stem }) {
    const { width, height, labelMap, personMap } = parsing;
    // The largest ones first, so that of too many the smallest are left out.
    const parts = parsing.parts.toSorted((a, b) => b.area - a.area).slice(0, MOST);
    const instances = await instancesOf(parsing, parts);
    // A pixel of a person is one of its parts there.
    const persons = Buffer.alloc(width * height);
    await forEachSlice(width * height, 2, (first, end) => {
      for (let p = first; p < end; p++) if (labelMap[p] !== 0) persons[p] = personMap[p]!;
    });
    const png = (values: Uint8Array) => encodeNumbers(values, width, height);
    const lines = parts.map(({ index, person }, at) => `${at + 1} ${index} ${person ?? 0}\n`);
    return {
      files: [
        { path: `Category_ids/${stem}.png`, content: await png(labelMap) },
        { path: `Human_ids/${stem}.png`, content: await png(persons) },
        { path: `Instance_ids/${stem}.png`, content: await png(instances) },
        { path: `Instance_ids/${stem}.txt`, content: lines.join('') },
      ],
    };
  },
  index: (view) => [
    ...subsetsOf(view).map((subset) => ({ path: `${subset}_id.txt`, pieces: names(view.records(subset)) })),
    {
      path: 'labels.txt',
      pieces: ['0 Background\n', ...view.categories.map(({ id, name }) => `${id} ${name}\n`)],
    },
  ],
  readme: `CIHP's layout. Pictures: Images. Category_ids/NAME.png: a pixel's label, as labels.txt numbers them. Human_ids/NAME.png: its
person, 0 nobody. Instance_ids/NAME.png: its part, and NAME.txt beside it: part, label, person, a line each. Lists of names: train_id.txt
(and val_id.txt).
`,
};

/** Where an instance is, its label is the pixel's; of several the one with the highest score. */
async function instancesOf(
  { width, height, labelMap }: Parsing,
  parts: readonly Part[],
): Promise<Uint8Array> {
  const instances = new Uint8Array(width * height);
  const ascending = parts.map((part, at) => ({ ...part, at })).toSorted((a, b) => a.score - b.score);
  for (const { mask, index, at } of ascending) {
    await eachColumnRun(mask, (x, top, bottom) => {
      for (let y = top, p = top * width + x; y < bottom; y++, p += width) {
        if (labelMap[p] === index) instances[p] = at + 1;
      }
    });
  }
  return instances;
}

async function* names(records: AsyncIterable<PictureRecord>): AsyncIterable<string> {
  for await (const { stem } of records) yield `${stem}\n`;
}
