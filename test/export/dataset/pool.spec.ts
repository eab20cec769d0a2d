import assert from 'node:assert/strict';
import { DataSet } from '../../../src/export/dataset/data-set.ts';
import { DataSetPool } from '../../../src/export/dataset/pool.ts';
import { drawnParsing, Folder } from '../support.ts';

describe('the data sets of a process', () => {
  const folder = new Folder();
  beforeEach(() => folder.make());
  afterEach(() => folder.remove());

  const request = async (seed: number, format: 'coco' | 'voc' = 'coco') => ({
    folder: folder.path,
    options: { format },
    parsing: await drawnParsing(seed),
    name: 'people',
    picture: {},
  });

  it('are shared by all who add to a folder', async () => {
    const pool = new DataSetPool();
    const added = await Promise.all([1, 2, 3].map(async (seed) => pool.add(await request(seed))));
    assert.deepEqual(new Set(added.map(({ id }) => id)), new Set([1, 2, 3]));
    await assert.rejects(pool.add(await request(4, 'voc')), { code: 'M2FP_BAD_OPTION', message: /"format"/ });
    // The first of them is there at once.
    assert.ok(
      (await folder.json<{ images: unknown[] }>('annotations', 'instances_train.json')).images.length >= 1,
    );
    await pool.release(folder.path);
    const { images } = await folder.json<{ images: unknown[] }>('annotations', 'instances_train.json');
    assert.equal(images.length, 3);
  });

  it('are given to others when nothing comes any more', async () => {
    let ring: (() => void) | undefined;
    const clock = {
      now: () => 0,
      after: (_ms: number, callback: () => void) => {
        ring = callback;
        return { cancel: () => (ring = undefined) };
      },
    };
    const pool = new DataSetPool(clock);
    await pool.add(await request(1));
    await assert.rejects(DataSet.open(folder.path, {}), { code: 'M2FP_BUSY' });
    ring!();
    // Waits for the one that is being closed.
    assert.equal((await pool.add(await request(2))).id, 2);
    await pool.release(folder.path);
    await (await DataSet.open(folder.path, {})).close();
  });

  it('try anew what failed', async () => {
    const other = await DataSet.open(folder.path, {});
    const pool = new DataSetPool();
    await assert.rejects(pool.add(await request(1)), { code: 'M2FP_BUSY' });
    await other.close();
    assert.equal((await pool.add(await request(1))).outcome, 'added');
    await pool.release(folder.path);
  });
});
