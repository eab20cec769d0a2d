/** `m2fp export` as a user meets it. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { root, temporaryFolder } from '../support/installed-package.ts';
import { failure, m2fp, success } from './support.ts';

const scenes = join(root, 'bench', 'scenes', 'Images');
const base = temporaryFolder('cli-export');

describe('m2fp export', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(base, 'run-'));
    mkdirSync(join(folder, 'in'));
    for (const name of ['0000001', '0000002', '0000003']) {
      copyFileSync(join(scenes, `${name}.jpg`), join(folder, 'in', `${name}.jpg`));
    }
  });
  after(() => rmSync(base, { recursive: true, force: true }));

  const at = (...names: string[]): string => join(folder, ...names);
  const images = (set: string): { id: number; file_name: string }[] =>
    (JSON.parse(readFileSync(at(set, 'annotations/instances_train.json'), 'utf8')) as { images: [] }).images;

  it('makes a data set of pictures, and goes on with it', async () => {
    const args = ['export', at('in'), '--format', 'coco', '--content', 'persons', '--out', at('set')];
    assert.match((await success(...args)).err, /m2fp: 3 done, 0 done before, 0 failed/);
    copyFileSync(join(scenes, '0000004.jpg'), at('in', 'new.jpg'));
    assert.match((await success(...args)).err, /m2fp: 1 done, 3 done before/);
    const listed = images('set');
    assert.deepEqual(
      listed.map(({ id, file_name: file }) => [id, file]),
      [
        [1, '0000001.jpg'],
        [2, '0000002.jpg'],
        [3, '0000003.jpg'],
        [4, 'new.jpg'],
      ],
    );
    assert.ok(existsSync(at('set', 'README.txt')));
  });

  it('makes one of parsings that were saved, without parsing again', async () => {
    await success('parse', at('in'), '--out', at('parsed'), '--format', 'full');
    const direct = ['--format', 'yolo-seg', '--content', 'garments'];
    await success('export', at('in'), ...direct, '--out', at('direct'));
    const { err } = await success('export', at('parsed'), ...direct, '--out', at('saved'));
    assert.equal(err, 'm2fp: 3 added, 0 replaced, 0 skipped, 0 failed\n');
    for (const name of ['0000001', '0000002', '0000003']) {
      const label = (set: string): string => readFileSync(at(set, 'labels/train', `${name}.txt`), 'utf8');
      assert.equal(label('saved'), label('direct'));
      assert.ok(label('saved').length > 0);
    }
    const json = at('parsed/json/0000001.jpg.json');
    assert.match((await success('export', json, ...direct, '--out', at('saved'))).err, /0 added, 1 replaced/);
  });

  it('says what is wrong with saved parsings', async () => {
    await success(
      'parse',
      at('in', '0000001.jpg'),
      at('in', '0000002.jpg'),
      '--format',
      'full',
      '--out',
      at('two.jsonl'),
    );
    copyFileSync(join(root, 'models/demo/samples/two-people.png'), at('in', '0000002.jpg'));
    rmSync(at('in', '0000001.jpg'));
    const lines = await m2fp(['export', at('two.jsonl'), '--format', 'voc', '--out', at('set')]);
    assert.equal(lines.code, 2);
    assert.match(lines.err, /M2FP_NO_IMAGE: The picture [^\n]*0000001\.jpg cannot be read/);
    assert.match(lines.err, /M2FP_NO_PARSING: [^\n]*0000002\.jpg is another picture/);
    await success('parse', at('in', '0000003.jpg'), '--format', 'summary', '--out', at('summary.json'));
    const summary = await m2fp(['export', at('summary.json'), '--format', 'voc', '--out', at('set')]);
    assert.equal(summary.code, 2);
    assert.match(summary.err, /M2FP_NO_PARSING/);
    writeFileSync(at('broken.json'), '{');
    await failure('M2FP_NO_PARSING', 'export', at('broken.json'), '--format', 'voc', '--out', at('set'));
  });

  it('says what is missing or wrong', async () => {
    const given = ['export', at('in')];
    await failure('M2FP_BAD_OPTION', ...given, '--out', at('set'));
    await failure('M2FP_BAD_OPTION', ...given, '--format', 'voc');
    await failure('M2FP_BAD_OPTION', ...given, '--format', 'docx', '--out', at('set'));
    await failure('M2FP_BAD_OPTION', ...given, '--format', 'voc', '--iou', '7', '--out', at('set'));
    // The folder of the pictures is none for a data set.
    await failure('M2FP_BAD_OPTION', ...given, '--format', 'voc', '--out', at('in'));
    await success(...given, '--format', 'voc', '--out', at('set'));
    await failure('M2FP_BAD_OPTION', ...given, '--format', 'coco', '--out', at('set'));
  });
});
