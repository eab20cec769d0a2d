/** Adds pictures to the data set in argv[2] until it is killed; tells of each that is in it. */
import { DataSet } from '../../../src/export/dataset/data-set.ts';
import { drawnParsing } from '../support.ts';

const [, , folder = '', first = '0'] = process.argv;
const set = await DataSet.open(folder, { format: 'coco' });
for (let seed = Number(first); ; seed++) {
  const parsing = await drawnParsing(0);
  // Another picture by its bytes; PNG readers pass over what stands behind its end.
  const { outcome, name } = await set.add(
    { ...parsing, image: Buffer.concat([parsing.image, Buffer.from(`#${seed}`)]) },
    'people',
  );
  if (seed % 3 === 0) await set.writeIndex();
  process.send!({ seed, outcome, name });
}
