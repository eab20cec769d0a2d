import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataSet } from '../../../src/export/dataset/data-set.ts';
import { EXPORT_FORMATS } from '../../../src/export/export-options.ts';
import { turned } from '../../parsing/scene.ts';
import { drawnParsing, Folder } from '../support.ts';

interface Coco {
  images: { id: number; file_name: string }[];
  annotations: { id: number; image_id: number; person: number | null }[];
}

describe('a data set', () => {
  const folder = new Folder();
  beforeEach(() => folder.make());
  afterEach(() => folder.remove());

  const coco = (): Promise<Coco> => folder.json<Coco>('annotations', 'instances_train.json');

  async function assertUnique(): Promise<Coco> {
    const json = await coco();
    for (const list of [json.images, json.annotations]) {
      assert.equal(new Set(list.map(({ id }) => id)).size, list.length);
    }
    assert.equal(new Set(json.images.map(({ file_name: file }) => file)).size, json.images.length);
    const ids = new Set(json.images.map(({ id }) => id));
    assert.ok(json.annotations.every(({ image_id: id }) => ids.has(id)));
    return json;
  }

  it('goes on where another run has ended', async () => {
    for (const seed of [1, 2]) {
      const set = await DataSet.open(folder.path, {});
      const added = await set.add(await drawnParsing(seed), 'people');
      assert.equal(added.outcome, 'added');
      assert.equal(added.id, seed);
      await set.close();
    }
    const { images } = await assertUnique();
    assert.deepEqual(
      images.map(({ file_name: file }) => file),
      ['people.png', 'people-2.png'],
    );
  });

  for (const format of EXPORT_FORMATS) {
    it(`has a picture once, also where it comes again: ${format}`, async () => {
      const set = await DataSet.open(folder.path, { format });
      const parsing = await drawnParsing();
      const first = await set.add(parsing, 'people');
      const files = (await readdir(folder.path, { recursive: true })).filter(
        (file) => !file.startsWith('.m2fp'),
      );
      const again = await set.add({ ...parsing, parts: parsing.parts.slice(0, 3) }, 'another name');
      assert.deepEqual([again.outcome, again.id, again.name], ['replaced', first.id, 'people']);
      assert.equal(format === 'cihp' || again.count === 3, true);
      const third = await set.add(parsing, 'people', { duplicates: 'skip' });
      assert.deepEqual([third.outcome, third.id, third.count], ['skipped', first.id, again.count]);
      assert.deepEqual(third.files, first.files);
      assert.equal(set.size, 1);
      const left = (await readdir(folder.path, { recursive: true })).filter(
        (file) => !file.startsWith('.m2fp'),
      );
      assert.deepEqual(left.toSorted(), files.toSorted());
      await set.close();
    });
  }

  it('gives annotations of a picture that was replaced new numbers', async () => {
    const set = await DataSet.open(folder.path, {});
    const parsing = await drawnParsing(1);
    await set.add(parsing, 'a');
    await set.add(await drawnParsing(2), 'b');
    await set.add({ ...parsing, parts: parsing.parts.slice(0, 2) }, 'a');
    await set.close();
    const { annotations } = await assertUnique();
    assert.deepEqual(
      annotations.filter(({ image_id: id }) => id === 1).map(({ id }) => id),
      [21, 22],
    );
  });

  it('leaves out what scores less, and takes what it is told for validation', async () => {
    const set = await DataSet.open(folder.path, {});
    const { count } = await set.add(await drawnParsing(1), 'a', { minScore: 0.7 });
    assert.equal(count, 6);
    const { subset, files } = await set.add(await drawnParsing(2), 'b', { subset: 'val' });
    assert.equal(subset, 'val');
    assert.equal(files[0], join(folder.path, 'images/val/b.png'));
    await set.close();
    assert.equal((await folder.json<Coco>('annotations', 'instances_val.json')).images.length, 1);
  });

  it('puts a share of the pictures aside, always the same ones, wherever it is interrupted', async () => {
    const parsing = await drawnParsing();
    for (const validation of [10, 33]) {
      const subsets = [];
      for (const run of ['one', 'two']) {
        const open = () => DataSet.open(join(folder.path, `${run}-${validation}`), { validation });
        let set = await open();
        const pictures = [];
        for (let i = 0; i < 60; i++) {
          if (run === 'two' && i % 7 === 0) {
            await set.close();
            set = await open();
          }
          const image = Buffer.concat([parsing.image, Buffer.from(`#${i}`)]);
          pictures.push((await set.add({ ...parsing, image, parts: [] }, 'x')).subset);
          const count = pictures.filter((subset) => subset === 'val').length;
          const exact = ((i + 1) * validation) / 100;
          assert.ok(count >= Math.floor(exact) && count <= Math.ceil(exact), `${count} of ${i + 1}`);
        }
        subsets.push(pictures);
        await set.close();
      }
      assert.deepEqual(subsets[0], subsets[1]);
    }
  });

  it('is written by one process at a time', async () => {
    const set = await DataSet.open(folder.path, {});
    await assert.rejects(DataSet.open(folder.path, {}), { code: 'M2FP_BUSY', message: /Another process/ });
    await set.close();
    await (await DataSet.open(folder.path, {})).close();
  });

  it('keeps its format and its categories', async () => {
    const set = await DataSet.open(folder.path, {});
    await set.add(await drawnParsing(), 'a');
    const other = { ...(await drawnParsing(2)), labels: ['Background', 'Head', 'Human'], parts: [] };
    await assert.rejects(set.add(other, 'b'), { code: 'M2FP_BAD_OPTION', message: /has the categories/ });
    await set.close();
    for (const options of [
      { format: 'voc' },
      { content: 'persons' },
      { iou: 0.9 },
      { validation: 10 },
    ] as const) {
      await assert.rejects(DataSet.open(folder.path, options), {
        code: 'M2FP_BAD_OPTION',
        message: /was begun with/,
      });
    }
    // Whoever was refused holds nothing.
    await (await DataSet.open(folder.path, {})).close();
  });

  it('touches no folder that holds something else', async () => {
    await writeFile(join(folder.path, 'thesis.txt'), '');
    await assert.rejects(DataSet.open(folder.path, {}), {
      code: 'M2FP_BAD_OPTION',
      message: /something else/,
    });
    assert.deepEqual(await readdir(folder.path), ['thesis.txt']);
  });

  it('says so where its folder cannot be written', async () => {
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    await assert.rejects(DataSet.open(join(file, 'set'), {}), {
      code: 'M2FP_NOT_KEPT',
      message: /cannot be written/,
    });
    // The user who may do everything writes there all the same.
    if (process.getuid?.() === 0) return;
    await chmod(folder.path, 0o500);
    await assert.rejects(DataSet.open(join(folder.path, 'set'), {}), { code: 'M2FP_NOT_KEPT' });
    await chmod(folder.path, 0o700);
  });

  it('goes on after a picture that could not be written', async () => {
    const set = await DataSet.open(folder.path, {});
    await writeFile(join(folder.path, 'images'), 'in the way');
    await assert.rejects(set.add(await drawnParsing(1), 'a'), { code: 'M2FP_NOT_KEPT' });
    await (await import('node:fs/promises')).rm(join(folder.path, 'images'));
    assert.equal((await set.add(await drawnParsing(1), 'a')).outcome, 'added');
    await set.close();
    assert.equal((await assertUnique()).images.length, 1);
  });

  it('leaves no way out of its folder', async () => {
    const set = await DataSet.open(join(folder.path, 'set'), { format: 'labelme' });
    for (const name of ['../up', '/etc/x', '..', '.m2fp/manifest.jsonl', 'a/../../b', 'C:\\x']) {
      const { files } = await set.add(await drawnParsing(name.length), name);
      for (const file of files) assert.ok(file.startsWith(join(folder.path, 'set') + '/'), file);
    }
    await set.close();
    assert.deepEqual(await readdir(folder.path), ['set']);
  });

  it('turns pictures, keeps upright JPEGs bit for bit without metadata, and makes PNGs of the rest', async () => {
    const set = await DataSet.open(folder.path, {});
    const jpeg = await drawnParsing(1, 'jpeg');
    const { files: kept } = await set.add(jpeg, 'jpeg');
    assert.match(kept[0]!, /\.jpg$/);
    const { default: sharp } = await import('sharp');
    const pixels = (image: Buffer): Promise<Buffer> => sharp(image).raw().toBuffer();
    assert.deepEqual(await pixels(await readFile(kept[0]!)), await pixels(jpeg.image));
    const { files: made } = await set.add(await drawnParsing(2, 'webp'), 'webp');
    assert.match(made[0]!, /\.png$/);
    const upright = { ...jpeg, image: await turned(), width: 3, height: 2, parts: [], persons: [] };
    const { files: up } = await set.add(
      { ...upright, labelMap: Buffer.alloc(6), personMap: Buffer.alloc(6) },
      'turned',
    );
    const { width, height, orientation } = await sharp(up[0]).metadata();
    assert.deepEqual([width, height, orientation], [3, 2, undefined]);
    await set.close();
  });

  it('says which line of its manifest is damaged, and forgets one that was cut off', async () => {
    const set = await DataSet.open(folder.path, {});
    await set.add(await drawnParsing(1), 'a');
    await set.close();
    const manifest = join(folder.path, '.m2fp/manifest.jsonl');
    await appendFile(manifest, '{"digest":"cut o');
    const again = await DataSet.open(folder.path, {});
    assert.equal(again.size, 1);
    assert.equal((await again.add(await drawnParsing(2), 'b')).id, 2);
    await again.close();
    assert.equal((await assertUnique()).images.length, 2);
    await appendFile(manifest, 'no JSON\n');
    await assert.rejects(DataSet.open(folder.path, {}), { code: 'M2FP_NOT_KEPT', message: /line 4/ });
  });

  it('is whole after kill -9, and loses nothing that was said to be in it', async () => {
    const told = new Map<number, string>();
    let first = 0;
    for (const round of [3, 8, 5]) {
      const child = fork(join(import.meta.dirname, 'crash-child.ts'), [folder.path, String(first)]);
      const reached = new Promise<void>((resolve) => {
        let count = 0;
        child.on('message', ({ seed, name }: { seed: number; name: string }) => {
          assert.ok(!told.has(seed));
          told.set(seed, name);
          if (++count === round) resolve();
        });
      });
      await Promise.race([reached, once(child, 'exit').then(([code]) => assert.fail(`ended: ${code}`))]);
      child.kill('SIGKILL');
      await once(child, 'exit');
      first = Math.max(...told.keys()) + 100;
      // What is there is whole, though it may be of some pictures ago.
      JSON.parse(await folder.text('annotations', 'instances_train.json'));
    }
    const set = await DataSet.open(folder.path, {});
    await set.writeIndex();
    const files = new Set((await assertUnique()).images.map(({ file_name: file }) => file));
    for (const name of told.values()) assert.ok(files.has(`${name}.png`), name);
    // One in each round may have been on its way.
    assert.ok(files.size <= told.size + 3);
    assert.equal(set.size, files.size);
    await set.close();
  });

  it('lies wherever a link leads', async () => {
    await mkdir(join(folder.path, 'real'));
    await symlink(join(folder.path, 'real'), join(folder.path, 'link'));
    const set = await DataSet.open(join(folder.path, 'link'), {});
    await assert.rejects(DataSet.open(join(folder.path, 'real'), {}), { code: 'M2FP_BUSY' });
    await set.close();
  });
});
