/** `m2fp parse` of folders, patterns and lists, as a user meets it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import sharp from 'sharp';
import type { ReportLine } from '../../src/export/batch/report.ts';
import type { ParsingSummary } from '../../src/parsing/index.ts';
import { withPreload } from '../observe/support/preload.ts';
import { temporaryFolder } from '../support/installed-package.ts';
import { root } from '../support/installed-package.ts';
import { childrenOf, isAlive } from '../support/processes.ts';
import { failure, m2fp, type Outcome, program, start } from './support.ts';

const scenes = join(root, 'bench', 'scenes', 'Images');
const base = temporaryFolder('cli-parse-batch');
/** Small and quick: what is found does not matter here. */
const QUICK = ['--short-side', '64'];

/** Of a ring, whichever way it goes round. */
function areaOf(ring: readonly number[]): number {
  let twice = 0;
  for (let i = 0; i < ring.length; i += 2) {
    const [x, y, nextX, nextY] = [
      ring[i]!,
      ring[i + 1]!,
      ring[(i + 2) % ring.length]!,
      ring[(i + 3) % ring.length]!,
    ];
    twice += x * nextY - nextX * y;
  }
  return Math.abs(twice) / 2;
}

describe('m2fp parse of many pictures', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(base, 'run-'));
    mkdirSync(join(folder, 'in', 'sub'), { recursive: true });
    for (const [from, to] of [
      ['0000001', 'one'],
      ['0000002', 'two'],
      ['0000003', 'sub/one'],
    ]) {
      copyFileSync(join(scenes, `${from}.jpg`), join(folder, 'in', `${to}.jpg`));
    }
  });
  after(() => rmSync(base, { recursive: true, force: true }));

  const report = (out = 'out'): ReportLine[] =>
    readFileSync(join(folder, out, 'report.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ReportLine);
  const batch = (...more: string[]): Promise<Outcome> =>
    m2fp(['parse', join(folder, 'in'), '--out', join(folder, 'out'), ...QUICK, ...more]);

  it('writes what is made of each, and a line of each', async () => {
    const { code, out, err } = await batch('--make', 'json,colorize,redact,crop,mask,export');
    assert.equal(code, 0, err);
    assert.equal(out, '');
    assert.match(err, /^Counting\nParsing: /);
    assert.match(err, /m2fp: 3 done, 0 done before, 0 failed\. [^\n]*report\.jsonl tells of each\.\n$/);
    const lines = report();
    assert.deepEqual(lines.map(({ file }) => file).toSorted(), ['one.jpg', 'sub/one.jpg', 'two.jpg']);
    const outputs = lines.flatMap((line) => line.outputs);
    for (const output of outputs) assert.ok(existsSync(join(folder, 'out', output)), output);
    assert.equal(new Set(outputs).size, outputs.length);
    for (const kind of [
      'json/sub/one.jpg.json',
      'colorize/one.jpg.png',
      'redact/one.jpg',
      'mask/one.jpg.png',
    ]) {
      assert.ok(outputs.includes(kind), kind);
    }
    const { width, height, format } = await sharp(join(folder, 'out/redact/sub/one.jpg')).metadata();
    const source = await sharp(join(folder, 'in/sub/one.jpg')).metadata();
    assert.deepEqual([width, height, format], [source.width, source.height, 'jpeg']);
    const coco = JSON.parse(
      readFileSync(join(folder, 'out/dataset/annotations/instances_train.json'), 'utf8'),
    ) as { images: unknown[] };
    assert.equal(coco.images.length, 3);
  });

  it('goes on where it was killed: nothing is lost, nothing is done twice', async () => {
    for (let i = 0; i < 40; i++) copyFileSync(join(scenes, '0000004.jpg'), join(folder, 'in', `x${i}.jpg`));
    const args = [
      'parse',
      join(folder, 'in'),
      '--out',
      join(folder, 'out'),
      '--make',
      'json,export',
      ...QUICK,
    ];
    const killed = start(args);
    await killed.says('Parsing: 20 %');
    killed.child.kill('SIGKILL');
    await killed.ended;
    const before = report().length;
    assert.ok(before > 0 && before < 43, `${before}`);
    const { code, err } = await m2fp(args);
    assert.equal(code, 0, err);
    const [, done, skipped] = /m2fp: (\d+) done, (\d+) done before/.exec(err)!.map(Number);
    assert.equal(done! + skipped!, 43);
    assert.ok(skipped! >= before - 1, `${skipped} of ${before}`);
    const files = report().map(({ file }) => file);
    assert.deepEqual([files.length, new Set(files).size], [43, 43]);
    // Forty of them are one picture.
    const coco = JSON.parse(
      readFileSync(join(folder, 'out/dataset/annotations/instances_train.json'), 'utf8'),
    ) as { images: unknown[] };
    assert.equal(coco.images.length, 4);
    assert.match((await m2fp(args)).err, /m2fp: 0 done, 43 done before, 0 failed/);
  });

  it('does again what has changed: a picture, an option, a file that is gone', async () => {
    await batch();
    assert.match((await batch()).err, /: 0 done, 3 done before/);
    rmSync(join(folder, 'out/json/two.jpg.json'));
    assert.match((await batch()).err, /: 1 done, 2 done before/);
    copyFileSync(join(scenes, '0000005.jpg'), join(folder, 'in/one.jpg'));
    assert.match((await batch()).err, /: 1 done, 2 done before/);
    assert.match((await batch('--flip')).err, /: 3 done, 0 done before/);
    assert.equal(report().length, 3);
  });

  it('collects errors: 1 for some, 2 for none done', async () => {
    writeFileSync(join(folder, 'in/empty.jpg'), '');
    writeFileSync(join(folder, 'in/text.png'), 'no picture');
    writeFileSync(join(folder, 'in/notes.txt'), 'no picture, and not called one');
    symlinkSync('nowhere', join(folder, 'in/dead.webp'));
    const { code, err } = await batch();
    assert.equal(code, 1);
    assert.match(err, /m2fp: 3 done, 0 done before, 3 failed/);
    assert.match(err, /m2fp: empty\.jpg: M2FP_NO_IMAGE: [^\n]*0 bytes\n/);
    const failed = report().filter(({ outcome }) => outcome === 'failed');
    assert.deepEqual(failed.map(({ file, error }) => `${file} ${error!.code}`).toSorted(), [
      'dead.webp M2FP_NO_IMAGE',
      'empty.jpg M2FP_NO_IMAGE',
      'text.png M2FP_UNSUPPORTED_FORMAT',
    ]);
    const none = await m2fp(['parse', join(folder, 'in/*.png'), '--out', join(folder, 'none'), ...QUICK]);
    assert.equal(none.code, 2);
  });

  it('takes patterns, lists, and several arguments', async () => {
    const out = (name: string): string[] => ['--out', join(folder, name), ...QUICK];
    assert.equal((await m2fp(['parse', join(folder, 'in/**/one.*'), ...out('pattern')])).code, 0);
    assert.deepEqual(
      report('pattern')
        .map(({ file }) => file)
        .toSorted(),
      ['one.jpg', 'sub/one.jpg'],
    );
    const list = spawn(process.execPath, [program, 'parse', '-', ...out('list')], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    list.stdin.end(`${join(folder, 'in/two.jpg')}\n`);
    assert.match(await text(list.stderr), /: 1 done/);
    assert.equal(
      readdirSync(join(folder, 'list/json'), { recursive: true }).filter((name) =>
        String(name).endsWith('.json'),
      ).length,
      1,
    );
    const several = ['parse', join(folder, 'in/sub'), join(folder, 'in/two.jpg'), ...out('several')];
    assert.match((await m2fp(several)).err, /: 2 done/);
  });

  it('writes into a folder inside of the pictures’ own, and never parses what it wrote', async () => {
    const args = [
      'parse',
      join(folder, 'in'),
      '--out',
      join(folder, 'in/blurred'),
      '--make',
      'redact',
      ...QUICK,
    ];
    assert.match((await m2fp(args)).err, /: 3 done/);
    assert.match((await m2fp(args)).err, /: 0 done, 3 done before/);
  });

  it('takes options as JSON or from a file, and says what is wrong with them', async () => {
    const options = join(folder, 'options.json');
    writeFileSync(options, JSON.stringify({ crop: { what: 'persons' }, export: { format: 'labelme' } }));
    const { code, err } = await batch('--make', 'crop,export', '--options', options);
    assert.equal(code, 0, err);
    assert.ok(existsSync(join(folder, 'out/dataset/one.json')));
    const args = ['parse', join(folder, 'in'), '--out', join(folder, 'new'), ...QUICK];
    for (const [given, what] of [
      [['--make', 'json,dance'], /dance/],
      [['--options', '{"dance": {}}'], /"options"/],
      [['--options', 'none.json'], /--options/],
      [['--options', '{"mask": {"what": "faces"}}'], /"mask", and --make \(json\) makes none/],
      [
        ['--make', 'mask,crop', '--options', '{"mask": {}, "redact": {}}'],
        /"redact", and --make \(crop,mask\)/,
      ],
      [['--make', 'export', '--options', '{"export": {"format": "docx"}}'], /"format"/],
      [['--make', 'export', '--options', '{"export": {"formt": "voc"}}'], /formt/],
      [['--colorize', 'x.png'], /--make colorize/],
      [['--redis', 'redis://localhost', '--model', 'x'], /--model/],
    ] as const) {
      const outcome = await m2fp([...args, ...given]);
      assert.equal(outcome.code, 1);
      assert.match(outcome.err, /M2FP_BAD_OPTION/);
      assert.match(outcome.err, what);
    }
    await failure('M2FP_BAD_OPTION', 'parse', join(folder, 'in'));
    await failure('M2FP_BAD_OPTION', 'parse', join(folder, 'in/one.jpg'), '--processes', '2');
  });

  /** As many as are not done before somebody interrupts. */
  const addPictures = (): void => {
    for (let i = 0; i < 60; i++) {
      cpSync(join(scenes, `00000${String(i + 10)}.jpg`), join(folder, 'in', `x${i}.jpg`));
    }
  };

  it('ends cleanly when it is interrupted, and goes on afterwards', async function () {
    if (process.platform === 'win32') this.skip();
    addPictures();
    const args = ['parse', join(folder, 'in'), '--out', join(folder, 'out'), ...QUICK];
    const running = start(args);
    await running.says('Parsing: 10 %');
    running.child.kill('SIGINT');
    const { code, err } = await running.ended;
    assert.equal(code, 130, err);
    const [, done] = /M2FP_CANCELLED: Interrupted\. (\d+) done[^\n]*goes on from there\n$/.exec(err)!;
    assert.equal(report().length, Number(done));
    assert.deepEqual(readdirSync(join(folder, 'out')).toSorted(), ['.m2fp-batch', 'json', 'report.jsonl']);
    assert.match((await m2fp(args)).err, new RegExp(`: ${63 - Number(done)} done, ${done} done before`));
  });

  it('ends at once when it is interrupted a second time', async function () {
    if (process.platform === 'win32') this.skip();
    addPictures();
    // A second signal that comes before the first was heard is the same one.
    const tells = withPreload(`process.on('SIGINT', () => process.stderr.write('heard\\n'));`, folder);
    const running = start(['parse', join(folder, 'in'), '--out', join(folder, 'out'), ...QUICK], tells);
    await running.says('Parsing: ');
    const engines = childrenOf(running.child.pid!);
    // What is under way does not end.
    for (const pid of engines) process.kill(pid, 'SIGSTOP');
    running.child.kill('SIGINT');
    await running.says('heard');
    running.child.kill('SIGINT');
    const { code, err } = await running.ended;
    assert.equal(code, 130, err);
    assert.doesNotMatch(err, /Interrupted/);
    assert.ok(engines.length > 0);
    for (const pid of engines) assert.ok(!isAlive(pid));
  });

  it('writes polygons where they are wanted, and does again what has none', async () => {
    const args = ['parse', join(folder, 'in'), '--out', join(folder, 'out')];
    assert.match((await m2fp(args)).err, /: 3 done, 0 done before/);
    const { code, err } = await m2fp([...args, '--polygons', '--iou', '0.95']);
    assert.equal(code, 0, err);
    assert.match(err, /: 3 done, 0 done before/);
    const regions = report().flatMap(({ outputs }) => {
      const { persons, parts } = JSON.parse(
        readFileSync(join(folder, 'out', outputs[0]!), 'utf8'),
      ) as ParsingSummary;
      return [...persons, ...parts];
    });
    assert.ok(regions.length > 3);
    for (const { area, polygons } of regions) {
      const found = polygons!.reduce((sum, { outer, holes }) => {
        return sum + areaOf(outer) - holes.reduce((all, hole) => all + areaOf(hole), 0);
      }, 0);
      // Two regions of which one has 95 % of their union.
      assert.ok(found >= 0.95 * area && found <= area / 0.95, `${found} of ${area}`);
    }
  });

  it('is one at a time in a folder', async () => {
    addPictures();
    const args = ['parse', join(folder, 'in'), '--out', join(folder, 'out'), ...QUICK];
    const running = start(args);
    await running.says('Parsing: 0 %');
    await failure('M2FP_BUSY', ...args);
    running.child.kill('SIGTERM');
    assert.equal((await running.ended).code, 143);
  });

  it('watches a folder until it is told to stop', async function () {
    if (process.platform === 'win32') this.skip();
    const args = ['parse', join(folder, 'in'), '--out', join(folder, 'out'), '--watch', ...QUICK];
    const running = start(args);
    for (const file of ['one.jpg', 'two.jpg', 'sub/one.jpg']) await running.says(`${file}: done`);
    copyFileSync(join(scenes, '0000009.jpg'), join(folder, 'in', 'late.jpg'));
    await running.says('late.jpg: done');
    running.child.kill('SIGINT');
    const { code, err } = await running.ended;
    assert.equal(code, 0, err);
    assert.match(err, /m2fp: 4 done/);
  });
});
