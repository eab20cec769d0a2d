/** The files that `m2fp parse … --out` leaves, run after run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ReportLine } from '../../src/export/batch/report.ts';
import { root, temporaryFolder } from '../support/installed-package.ts';
import { m2fp, type Outcome, start } from './support.ts';

const scene = (n: number): string => join(root, 'bench/scenes/Images', `000000${n}.jpg`);
const base = temporaryFolder('cli-batch-files');

describe('the files of m2fp parse of many pictures', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(base, 'run-'));
    mkdirSync(join(folder, 'in'));
  });
  after(() => rmSync(base, { recursive: true, force: true }));

  const inside = (...names: string[]): string => join(folder, 'in', ...names);
  const parse = (...more: string[]): Promise<Outcome> =>
    m2fp(['parse', inside(), '--out', join(folder, 'out'), '--short-side', '64', ...more]);
  const made = (): string[] =>
    readdirSync(join(folder, 'out'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'report.jsonl')
      .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 5))
      .filter((path) => !path.startsWith('.'))
      .toSorted();
  const report = (): ReportLine[] =>
    readFileSync(join(folder, 'out/report.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ReportLine);

  it('are never those of two pictures', async () => {
    await sharp(scene(1)).tiff().toFile(inside('x.tiff'));
    await sharp(scene(2)).png().toFile(inside('x.tiff.png'));
    copyFileSync(scene(3), inside('A.jpg'));
    copyFileSync(scene(4), inside('a.jpg'));
    assert.match((await parse('--make', 'redact')).err, /: 4 done/);
    const names = ['redact/A.jpg', 'redact/a-2.jpg', 'redact/x.tiff-2.png', 'redact/x.tiff.png'];
    assert.deepEqual(made(), names);
    assert.deepEqual(
      report()
        .flatMap(({ outputs }) => outputs)
        .toSorted(),
      names,
    );
    for (const { file, outputs } of report()) {
      const [from, to] = await Promise.all(
        [inside(file), join(folder, 'out', outputs[0]!)].map((path) => sharp(path).metadata()),
      );
      assert.deepEqual([to!.width, to!.height], [from!.width, from!.height], file);
    }
    assert.match((await parse('--make', 'redact')).err, /: 0 done, 4 done before/);
  });

  describe('of two folders with the same names', () => {
    beforeEach(async () => {
      for (const [name, width] of [
        ['a', 320],
        ['b', 200],
      ] as const) {
        mkdirSync(join(folder, name));
        await sharp(scene(1))
          .resize(width)
          .toFile(join(folder, name, 'x.jpg'));
      }
    });
    const run = async (...named: string[]): Promise<string> => {
      const args = ['parse', ...named, '--out', 'out', '--make', 'redact', '--short-side', '64'];
      const { code, err } = await start(args, {}, folder).ended;
      assert.equal(code, 0, err);
      return /(\d+ done, \d+ done before)/.exec(err)![1]!;
    };
    /** Which picture a file was made of: both have another size. */
    const madeOf = async (path: string): Promise<string | undefined> => {
      const size = async (file: string): Promise<string> => {
        const { width, height } = await sharp(join(folder, file)).metadata();
        return `${width} x ${height}`;
      };
      const found = await size(`out/${path}`);
      for (const name of ['a', 'b']) if ((await size(`${name}/x.jpg`)) === found) return name;
      return undefined;
    };

    it('are all there after one command, and have the same names the next time', async () => {
      assert.equal(await run('a', 'b'), '2 done, 0 done before');
      assert.deepEqual(made(), ['redact/a/x.jpg', 'redact/b/x.jpg']);
      for (const named of [
        ['b', 'a'],
        ['./a', join(folder, 'b')],
      ]) {
        assert.equal(await run(...named), '0 done, 2 done before', named.join(' '));
      }
      assert.deepEqual(made(), ['redact/a/x.jpg', 'redact/b/x.jpg']);
      for (const name of ['a', 'b']) assert.equal(await madeOf(`redact/${name}/x.jpg`), name);
    });

    it('are all there after one command for each, too', async () => {
      for (const name of ['a', 'b']) assert.equal(await run(name), '1 done, 0 done before');
      assert.deepEqual(made(), ['redact/b/x.jpg', 'redact/x.jpg']);
      for (const name of ['a', 'b']) assert.equal(await run(name), '0 done, 1 done before');
      assert.equal(await run('a', 'b'), '0 done, 2 done before');
      assert.deepEqual([await madeOf('redact/x.jpg'), await madeOf('redact/b/x.jpg')], ['a', 'b']);
      copyFileSync(scene(4), join(folder, 'b/x.jpg'));
      assert.equal(await run('b'), '1 done, 0 done before');
      assert.deepEqual(made(), ['redact/b/x.jpg', 'redact/x.jpg']);
    });

    it('stay those of pictures that were moved', async () => {
      assert.equal(await run('a'), '1 done, 0 done before');
      renameSync(join(folder, 'a'), join(folder, 'moved'));
      assert.equal(await run('moved'), '0 done, 1 done before');
      assert.deepEqual(made(), ['redact/x.jpg']);
    });
  });

  it('are made again where they have changed', async () => {
    for (const n of [1, 2, 3]) copyFileSync(scene(n), inside(`${n}.jpg`));
    await parse('--make', 'json,redact');
    const before = readFileSync(join(folder, 'out/redact/1.jpg'));
    copyFileSync(scene(1), join(folder, 'out/redact/1.jpg'));
    writeFileSync(join(folder, 'out/json/2.jpg.json'), '{"half');
    assert.match((await parse('--make', 'json,redact')).err, /: 2 done, 1 done before/);
    assert.ok(readFileSync(join(folder, 'out/redact/1.jpg')).equals(before));
  });

  it('are none of a picture that has become none, nor those of the one that was there', async () => {
    for (const n of [1, 2]) copyFileSync(scene(n), inside(`${n}.jpg`));
    await parse('--make', 'json,redact,mask,crop');
    writeFileSync(inside('1.jpg'), 'no picture');
    await sharp({ create: { width: 64, height: 64, channels: 3, background: 'gray' } })
      .jpeg()
      .toFile(inside('2.jpg'));
    assert.match((await parse('--make', 'json,redact,mask,crop')).err, /: 1 done, 0 done before, 1 failed/);
    assert.deepEqual(
      made(),
      report()
        .flatMap(({ outputs }) => outputs)
        .toSorted(),
    );
    assert.ok(made().length > 0 && made().every((path) => path.includes('/2.jpg')), made().join(' '));
  });

  it('are not there in two formats', async () => {
    copyFileSync(scene(2), inside('1.jpg'));
    await parse('--make', 'crop,redact', '--options', '{"crop": {"what": "persons", "format": "jpeg"}}');
    await parse('--make', 'crop', '--options', '{"crop": {"what": "persons", "format": "png"}}');
    assert.ok(made().length > 1);
    assert.deepEqual(
      made().filter((path) => !path.endsWith('.png')),
      ['redact/1.jpg'],
    );
  });

  it('are of each picture once, however it is named, and of all that several patterns name', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(inside(name));
      copyFileSync(scene(name === 'one' ? 1 : 2), inside(name, 'a.jpg'));
    }
    const args = [inside('one/*.jpg'), inside('two/*.jpg'), inside('two'), `${inside('one')}/./a.jpg`];
    const out = ['--out', join(folder, 'out'), '--short-side', '64'];
    assert.match((await m2fp(['parse', ...args, ...out])).err, /: 2 done/);
    assert.deepEqual([report().length, made().length], [2, 2]);
  });

  it('are none where a list is empty, which is no error', async () => {
    const args = ['parse', '-', '--out', join(folder, 'out'), '--short-side', '64'];
    const { code, err } = await m2fp(args);
    assert.equal(code, 0, err);
    assert.match(err, /m2fp: 0 done, 0 done before, 0 failed/);
  });

  it('do not go where the pictures are', async () => {
    copyFileSync(scene(1), inside('a.jpg'));
    const { code, err } = await m2fp(['parse', inside(), '--out', inside(), '--short-side', '64']);
    assert.equal(code, 1);
    assert.match(err, /M2FP_BAD_OPTION: The pictures lie in the folder of the output/);
  });

  it('are not made of what lies where they go: nothing is written over', async () => {
    mkdirSync(join(folder, 'out/redact'), { recursive: true });
    const own = join(folder, 'out/redact/a.jpg');
    copyFileSync(scene(1), own);
    const before = readFileSync(own);
    for (const named of [join(folder, 'out/redact'), join(folder, 'out/redact/*.jpg'), own]) {
      const args = ['parse', named, '--out', join(folder, 'out'), '--make', 'redact', '--short-side', '64'];
      const { code, err } = await m2fp(args);
      assert.equal(code, 1, named);
      assert.match(err, /M2FP_BAD_OPTION: [^\n]* lies in the folder of the output/);
    }
    symlinkSync(join(folder, 'out/redact'), inside('link'));
    symlinkSync(own, inside('a.jpg'));
    copyFileSync(scene(2), inside('b.jpg'));
    const { code, err } = await parse('--make', 'redact');
    assert.equal(code, 1);
    assert.match(err, /: 1 done, 0 done before, 1 failed/);
    assert.match(err, /a\.jpg: M2FP_NO_IMAGE: [^\n]* lies in the folder of the output/);
    assert.ok(readFileSync(own).equals(before));
    assert.deepEqual(made(), ['redact/a.jpg', 'redact/b.jpg']);
  });

  it('have a line for each picture that was there, also for what is no file, or is gone', async function () {
    if (process.platform === 'win32') this.skip();
    // To root no folder is locked.
    const isRoot = process.getuid?.() === 0;
    for (const name of ['later', 'locked']) mkdirSync(inside(name));
    for (let n = 0; n < 30; n++) copyFileSync(scene(1), inside(`${n}.jpg`));
    copyFileSync(scene(2), inside('later/gone.jpg'));
    execFileSync('mkfifo', [inside('pipe.jpg')]);
    chmodSync(inside('locked'), 0);
    try {
      const running = start(['parse', inside(), '--out', join(folder, 'out'), '--short-side', '64']);
      await running.says('Parsing: ');
      rmSync(inside('later'), { recursive: true });
      const { code, err } = await running.ended;
      assert.equal(code, 1);
      assert.match(err, /m2fp: 30 done, 0 done before, 2 failed/);
      assert.equal(/, 1 folder not read\. /.test(err), !isRoot);
      assert.equal(/M2FP_NO_IMAGE: The folder [^\n]*locked cannot be read/.test(err), !isRoot);
      assert.match(err, /pipe\.jpg: M2FP_NO_IMAGE: pipe\.jpg is a pipe, not a file/);
      const failed = report().filter(({ outcome }) => outcome === 'failed');
      assert.deepEqual(failed.map(({ file }) => file).toSorted(), ['later/gone.jpg', 'pipe.jpg']);
    } finally {
      chmodSync(inside('locked'), 0o700);
    }
  });
});
