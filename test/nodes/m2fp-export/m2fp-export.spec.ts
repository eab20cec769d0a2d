import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeMessage } from 'node-red';
import { DataSet } from '../../../src/export/dataset/data-set.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { exampleParsing } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { type Events, send, startFlow, stopFlow, useSettings } from '../support/red.ts';

interface Written {
  outcome: string;
  id: number;
  name: string;
  subset: string;
  count: number;
  files: string[];
  folder: string;
  format: string;
}

describe('m2fp-export', () => {
  let parsing: Parsing;
  let userDir: string;

  const start = (properties = {}): Promise<Events> =>
    startFlow([nodeConfig('m2fp-export', 'node', properties)]);
  async function written(events: Events, msg: NodeMessage & Record<string, unknown>): Promise<Written> {
    const before = events.sent.length;
    send({ parsing, ...msg });
    await events.until(() => events.sent.length > before || events.caught.length > 0);
    assert.deepEqual(
      events.caught.map(({ error }) => error.message),
      [],
    );
    return events.sent.at(-1)!.payload as Written;
  }
  const code = async (events: Events, msg: object): Promise<string | undefined> => {
    send({ parsing, ...msg });
    await events.until(() => events.caught.length > 0);
    return (events.caught.pop()!.error as { code?: string }).code;
  };

  beforeEach(async () => {
    parsing = await exampleParsing();
    userDir = await mkdtemp(join(tmpdir(), 'm2fp-export-node-'));
    useSettings({ userDir });
  });
  afterEach(async () => {
    await stopFlow();
    useSettings({});
    await rm(userDir, { recursive: true, force: true });
  });

  it('adds a picture to a data set in the user folder, and tells what it wrote', async () => {
    const events = await start();
    const result = await written(events, { filename: '/camera/shop window.JPG', topic: 'x' });
    const folder = join(userDir, 'dataset');
    const file = join(folder, 'images', 'train', 'shop_window.png');
    assert.deepEqual(result, {
      outcome: 'added',
      id: 1,
      name: 'shop_window',
      subset: 'train',
      count: parsing.parts.length,
      files: [file],
      folder,
      format: 'coco',
    });
    await readFile(file);
    const coco = JSON.parse(await readFile(join(folder, 'annotations/instances_train.json'), 'utf8')) as {
      annotations: object[];
    };
    assert.equal(coco.annotations.length, parsing.parts.length);
    const [msg] = events.sent;
    assert.equal(msg!.topic, 'x');
    assert.deepEqual(msg!['parsing'], parsing);
    assert.deepEqual(notPlain(msg), []);
  });

  it('lets others write when it has closed', async () => {
    const events = await start({ folder: 'set' });
    await written(events, {});
    await assert.rejects(DataSet.open(join(userDir, 'set'), {}), { code: 'M2FP_BUSY' });
    await stopFlow();
    await (await DataSet.open(join(userDir, 'set'), {})).close();
  });

  it('writes with others of its Node-RED into one data set', async () => {
    const other = nodeConfig('m2fp-export', 'other', { wires: [['out']] });
    const events = await startFlow([nodeConfig('m2fp-export', 'node', { wires: [['other']] }), other]);
    assert.equal((await written(events, {})).outcome, 'replaced');
  });

  for (const [what, msg, name] of [
    ['the file name', { filename: 'a.b.png' }, 'a.b'],
    ['the topic without a file name', { topic: 'house/door' }, 'house-door'],
    ['image without either', { topic: 7 }, 'image'],
    ['no way out of the folder', { filename: '../../../etc/passwd' }, 'passwd'],
    ['a number', { filename: 17 }, '17'],
    ['the topic where the file name is blank', { filename: ' ', topic: 'x' }, 'x'],
    ['the topic where the file name is no text', { filename: { a: 1 }, topic: 'x' }, 'x'],
  ] as [string, Record<string, unknown>, string][]) {
    it(`calls the files by ${what}`, async () => {
      const result = await written(await start({ format: 'labelme' }), msg);
      assert.equal(result.name, name);
      assert.deepEqual((await readdir(userDir)).toSorted(), ['dataset']);
      for (const file of result.files) assert.ok(file.startsWith(join(userDir, 'dataset')));
    });
  }

  it('takes another property for the name, or a text', async () => {
    const events = await start({ fileName: 'device.id' });
    assert.equal((await written(events, { device: { id: 'cam 3' }, filename: 'other' })).name, 'cam_3');
    await stopFlow();
    const fixed = await start({ folder: 'two', fileName: 'shelf', fileNameType: 'str' });
    assert.equal((await written(fixed, {})).name, 'shelf');
  });

  it('replaces or skips a picture that it has', async () => {
    const events = await start();
    assert.equal((await written(events, {})).outcome, 'added');
    assert.equal((await written(events, {})).outcome, 'replaced');
    assert.equal((await written(events, { m2fp: { duplicates: 'skip' } })).outcome, 'skipped');
    assert.equal((await written(events, { m2fp: { export: { duplicates: 'skip' } } })).outcome, 'skipped');
  });

  it('takes options of a message, but none of where and what the data set is', async () => {
    const events = await start();
    const { subset } = await written(events, { m2fp: { subset: 'val' } });
    assert.equal(subset, 'val');
    for (const name of ['folder', 'validation', 'shapes', 'iou']) {
      const given = { m2fp: { export: { [name]: name === 'folder' ? '/tmp/elsewhere' : 1 } } };
      assert.equal(await code(events, given), 'M2FP_BAD_OPTION', name);
    }
  });

  it('says what is wrong with its folder', async () => {
    await mkdir(join(userDir, 'mine'));
    await writeFile(join(userDir, 'mine', 'thesis.txt'), '');
    assert.equal(await code(await start({ folder: 'mine' }), {}), 'M2FP_BAD_OPTION');
    await stopFlow();
    assert.equal(await code(await start({ folder: ' ' }), {}), 'M2FP_BAD_OPTION');
    await stopFlow();
    assert.equal(await code(await start({ folder: 'mine/thesis.txt/set' }), {}), 'M2FP_NOT_KEPT');
  });

  it('refuses what is no parsing, and goes on', async () => {
    const events = await start();
    assert.equal(await code(events, { parsing: { width: 3 } }), 'M2FP_NO_PARSING');
    assert.equal(await code(events, { parsing: undefined }), 'M2FP_NO_PARSING');
    assert.equal((await written(events, {})).outcome, 'added');
  });
});
