/** CIHP's layout, read by the accuracy bench. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Judge } from '../../../bench/accuracy/judge.ts';
import { predictionOf } from '../../../bench/accuracy/prediction.ts';
import { listScenes, readScene } from '../../../bench/accuracy/scenes.ts';
import { acquireEngine, shutdownEngines } from '../../../src/engine/index.ts';
import { DataSet } from '../../../src/export/dataset/data-set.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { exported, Folder, WIDTH } from '../support.ts';

const SCENES = join(import.meta.dirname, '../../../bench/scenes/Images');

describe("CIHP's layout", () => {
  const folder = new Folder();
  beforeEach(() => folder.make());
  afterEach(() => folder.remove());
  after(() => shutdownEngines());

  it('holds what was parsed: as truth it agrees with the parsing wholly', async () => {
    const { engine } = await acquireEngine({ model: bundledModelFolder() });
    const set = await DataSet.open(folder.path, { format: 'cihp' });
    const parsings = new Map<string, Awaited<ReturnType<typeof engine.parse>>>();
    for (const name of ['0000001', '0000005', '0000020']) {
      const image = await readFile(join(SCENES, `${name}.jpg`));
      const parsing = await engine.parse({ image, options: { scoreThreshold: 0.5 } });
      parsings.set(name, parsing);
      await set.add(parsing, name);
    }
    await set.close();
    const judge = new Judge(parsings.get('0000001')!.labels.slice(0, -1));
    const files = await listScenes(folder.path);
    assert.equal(files.length, 3);
    for (const file of files) {
      const scene = await readScene(folder.path, file);
      const parsing = parsings.get(scene.name)!;
      judge.add(scene, predictionOf(parsing));
      assert.deepEqual(Buffer.from(scene.truth.categories), parsing.labelMap);
    }
    const { miou, foregroundIou } = judge.figures();
    assert.deepEqual({ miou, foregroundIou }, { miou: 1, foregroundIou: 1 });
    assert.deepEqual((await folder.text('train_id.txt')).trim().split('\n'), [
      '0000001',
      '0000005',
      '0000020',
    ]);
  });

  it('numbers instances where their label is, and tells label and person of each', async () => {
    const { parts, labelMap } = await exported(folder, { format: 'cihp' });
    const { truth } = await readScene(folder.path, 'people.png');
    const lines = (await folder.text('Instance_ids/people.txt'))
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number));
    assert.equal(lines.length, parts.length);
    truth.instances.forEach((instance, p) => {
      if (instance === 0) return assert.equal(labelMap[p], 0);
      assert.equal(lines[instance - 1]![1], labelMap[p]);
    });
    const coat = parts.find(({ label }) => label === 'Coat')!;
    const at = (coat.box.y + 2) * WIDTH + coat.box.x + 2;
    assert.deepEqual(lines[truth.instances[at]! - 1]!.slice(1), [coat.index, coat.person]);
    assert.ok(truth.persons.every((person, p) => person === 0 || labelMap[p] !== 0));
  });
});
