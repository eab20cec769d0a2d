/** `m2fp compare` as a user meets it: the bundled model with several settings, on its samples. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Comparison } from '../../src/compare/compare.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { goldenFolder } from '../support/golden.ts';
import { temporaryFolder } from '../support/installed-package.ts';
import { failure, interruptedAt, m2fp, success } from './support.ts';

const folder = temporaryFolder('cli-compare');
const bundled = bundledModelFolder();
const samples = join(bundled, 'samples');

interface Printed extends Omit<Comparison, 'differences'> {
  differences: { file: string; pixels: number; persons: { matched: number } }[];
  page?: string;
}

describe('m2fp compare', function () {
  this.timeout(180_000);

  const pictures = join(folder, 'pictures');
  before(() => {
    mkdirSync(pictures);
    copyFileSync(join(samples, 'two-people.png'), join(pictures, 'two & more.png'));
    writeFileSync(join(pictures, 'damaged.png'), 'no picture');
  });

  it('tells how far two settings agree, what they cost, and shows where they differ', async () => {
    const out = join(folder, 'page');
    const outcome = await success(
      'compare',
      bundled,
      '--b',
      'flip,short-side=320',
      '--pictures',
      pictures,
      '--out',
      out,
      '--json',
    );
    const { a, b, agreement, speed, differences, leftOut, page } = JSON.parse(outcome.out) as Printed;
    assert.deepEqual(
      [a.id, a.digest, a.provider, a.settings],
      [b.id, b.digest, 'cpu', {}],
      'one model, two settings',
    );
    assert.deepEqual(b.settings, { flip: true, shortSide: 320 });
    assert.equal(agreement.pictures, 1);
    assert.ok(agreement.pixels! > 0.9 && agreement.pixels! < 1);
    assert.deepEqual([agreement.persons.reference, agreement.persons.matched], [2, 2]);
    assert.ok(speed > 0 && a.seconds > a.networkSeconds);
    if (process.platform === 'linux') assert.ok(a.memory! > 5e7 && b.memory! > 5e7);
    assert.deepEqual(
      differences.map(({ file, persons }) => [file, persons.matched]),
      [['two & more.png', 2]],
    );
    assert.deepEqual(
      leftOut.map(({ file, code }) => [file, code]),
      [['damaged.png', 'M2FP_UNSUPPORTED_FORMAT']],
    );
    assert.match(outcome.err, /warning: damaged\.png was left out/);

    assert.equal(page, join(out, 'index.html'));
    assert.deepEqual(readdirSync(out), ['index.html']);
    const html = readFileSync(page, 'utf8');
    assert.equal(html.match(/<img src="data:image\/jpeg;base64,/g)?.length, 4);
    assert.ok(html.includes('two &amp; more.png') && !html.includes('two & more'));
    assert.ok(!/<script|https?:|url\(/i.test(html), 'it is complete, and runs nothing');
    assert.ok(html.includes('Hair') && !html.includes('Human'));
  });

  it('says the same in words, also of WebAssembly', async () => {
    const { out } = await success(
      'compare',
      bundled,
      bundled,
      '--b',
      'wasm',
      '--pictures',
      samples,
      '--limit',
      '1',
    );
    assert.match(out, /^B: +m2fp-demo, fp16.*, WebAssembly$/m);
    assert.match(out, /^same label: +(100|9\d\.\d+) % of the pixels/m);
    assert.match(out, /^persons: +\d+ found by both, \d+ by A, \d+ by B/m);
    assert.match(out, /^speed: +[AB] is [\d.]+ times as fast/m);
  });

  it('compares models of one kind, with the same labels, only', async () => {
    const single = join(folder, 'single');
    await convertCheckpoint({ source: goldenFolder('single'), out: single });
    assert.match(
      await failureAfterWork('M2FP_BAD_OPTION', bundled, single, '--pictures', samples),
      /A and B do not find the same: m2fp-demo is multi with 21 labels, single is single with 20/,
    );
  });

  /** As `failure`, of what is found out only when something was done: progress may come first. */
  async function failureAfterWork(code: string, ...args: string[]): Promise<string> {
    const { code: exit, out, err } = await m2fp(['compare', ...args]);
    assert.deepEqual([exit, out], [1, ''], err);
    const last = err.trimEnd().split('\n').at(-1)!;
    assert.ok(last.startsWith(`m2fp: ${code}: `), err);
    return last;
  }

  it('says where no picture can be used', async () => {
    const bad = join(folder, 'bad');
    mkdirSync(bad);
    writeFileSync(join(bad, 'damaged.png'), 'no picture');
    assert.match(
      await failureAfterWork('M2FP_BAD_IMAGE', bundled, '--b', 'flip', '--pictures', bad),
      /None of the pictures can be used: damaged\.png: /,
    );
  });

  const empty = join(folder, 'empty');
  const refused: [what: string, code: string, message: RegExp, ...args: string[]][] = [
    ['no pictures', 'M2FP_BAD_OPTION', /--pictures is missing/, bundled],
    ['no model', 'M2FP_BAD_OPTION', /A is missing/, '--pictures', samples],
    ['three models', 'M2FP_BAD_OPTION', /not also c/, 'a', 'b', 'c', '--pictures', samples],
    ['an empty folder', 'M2FP_NO_IMAGE', /holds no pictures/, bundled, '--b', 'flip', '--pictures', empty],
    [
      'an unknown model',
      'M2FP_MODEL_NOT_FOUND',
      /nowhere/,
      bundled,
      join(folder, 'nowhere'),
      '--pictures',
      samples,
    ],
    [
      'the same model twice',
      'M2FP_BAD_OPTION',
      /same model with the same settings/,
      bundled,
      '--pictures',
      samples,
    ],
    [
      'an unknown setting',
      'M2FP_BAD_OPTION',
      /--b takes flip, .*, not "fast"/,
      bundled,
      '--b',
      'fast',
      '--pictures',
      samples,
    ],
    [
      'a side that is no number',
      'M2FP_BAD_OPTION',
      /a whole number from 1 to 4096, not "big"/,
      bundled,
      '--a',
      'short-side=big',
      '--pictures',
      samples,
    ],
    [
      'another precision',
      'M2FP_BAD_OPTION',
      /takes fp32, fp16, int8, not "int4"/,
      bundled,
      '--a',
      'precision=int4',
      '--pictures',
      samples,
    ],
    [
      'a limit of nothing',
      'M2FP_BAD_OPTION',
      /--limit takes/,
      bundled,
      '--b',
      'flip',
      '--limit',
      '0',
      '--pictures',
      samples,
    ],
  ];
  before(() => mkdirSync(empty));
  for (const [what, code, message, ...args] of refused) {
    it(`refuses ${what}`, async () => {
      assert.match(await failure(code, 'compare', ...args), message);
    });
  }

  it("leaves a page of the user's own, and replaces one that it wrote", async () => {
    const out = join(folder, 'own-page');
    mkdirSync(out);
    const page = join(out, 'index.html');
    const args = ['compare', bundled, '--b', 'flip', '--pictures', pictures, '--out', out];
    writeFileSync(page, '<title>My home</title>');
    assert.match(
      await failure('M2FP_BAD_OPTION', ...args),
      /holds an index\.html that is no comparison of models, and stays: name another folder/,
    );
    assert.equal(readFileSync(page, 'utf8'), '<title>My home</title>');
    writeFileSync(page, '<!doctype html>\n<title>m2fp compare</title>\nan older one');
    await success(...args);
    assert.match(readFileSync(page, 'utf8'), /<h1>Two models on one picture/);
    assert.deepEqual(readdirSync(out), ['index.html']);
  });

  it('is told which precision by --a and --b: of a checkpoint and of models in the store, not of a folder', async () => {
    assert.match(
      await failure('M2FP_BAD_OPTION', 'compare', bundled, '--b', 'precision=int8', '--pictures', samples),
      /is fp16, not int8: "precision" chooses among the models of the store.* Give the folder of the other model/,
    );
    const store = join(folder, 'store');
    for (const precision of ['fp16', 'int8'] as const) {
      const to = join(store, 'local', 'two', `v1+${precision}`);
      cpSync(bundled, to, { recursive: true });
      const manifest = JSON.parse(readFileSync(join(to, 'm2fp.json'), 'utf8')) as object;
      writeFileSync(join(to, 'm2fp.json'), JSON.stringify({ ...manifest, id: 'local/two', precision }));
    }
    assert.match(
      await failure(
        'M2FP_BAD_OPTION',
        'compare',
        'local/two',
        '--b',
        'precision=int8',
        '--pictures',
        samples,
        '--store',
        store,
      ),
      /Which one of .*\? Say --a precision=NAME, or give the folder$/m,
    );
  });

  it('is ended by Ctrl+C half-way, and writes no page', async function () {
    if (process.platform === 'win32') this.skip();
    const out = join(folder, 'interrupted');
    const env = interruptedAt('Comparing: 50 %', 'SIGINT', folder);
    const outcome = await m2fp(
      ['compare', bundled, '--b', 'flip', '--pictures', pictures, '--out', out],
      env,
    );
    assert.deepEqual([outcome.code, outcome.out], [130, ''], outcome.err);
    assert.match(outcome.err, /m2fp: M2FP_CANCELLED: Interrupted\. Nothing was written\n$/);
    assert.ok(!existsSync(out));
  });
});
