/** `m2fp convert` as a user meets it: what it writes and prints, and what it leaves. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { root, temporaryFolder } from '../support/installed-package.ts';
import { failure, interruptedAt, m2fp, start, success } from './support.ts';

const checkpoint = join(root, 'test', 'golden', 'multi');
const image = join(bundledModelFolder(), 'samples', 'two-people.png');
const folder = temporaryFolder('cli-convert');

describe('m2fp convert', function () {
  this.timeout(60_000);

  it('makes a model folder and tells what it found', async () => {
    const out = join(folder, 'model');
    const outcome = await success('convert', checkpoint, '--out', out);
    assert.deepEqual(readdirSync(out).toSorted(), ['m2fp.json', 'model.onnx', 'model.onnx.data']);
    const manifest = JSON.parse(readFileSync(join(out, 'm2fp.json'), 'utf8')) as ModelManifest;
    assert.deepEqual([manifest.id, manifest.kind, manifest.precision], ['multi', 'multi', 'fp32']);
    for (const fact of [
      /^kind: +multi/m,
      new RegExp(`^labels: +${manifest.labels.length}: `, 'm'),
      /^input: /m,
      /^read from configuration\.json: .*\bdecoder\.heads 8\b/m,
      /^inferred from the tensors: .*\bbackbone\.blocks \[[\d,]+\]/m,
      /^assumed, as nothing tells: .*\bpixelDecoder\.points 4\b/m,
    ]) {
      assert.match(outcome.out, fact);
    }
    const percents = [...outcome.err.matchAll(/^Converting: (\d+) %$/gm)].map(([, percent]) =>
      Number(percent),
    );
    assert.deepEqual(percents, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  });

  it('makes it also where nobody reads what it tells', async () => {
    const out = join(folder, 'unread');
    const { child, ended } = start(['convert', checkpoint, '--out', out]);
    child.stdout?.destroy();
    child.stderr?.destroy();
    assert.equal((await ended).code, 0);
    assert.ok(existsSync(join(out, 'm2fp.json')));
  });

  it('does as the options say', async () => {
    const out = join(folder, 'options');
    const { labels } = JSON.parse(readFileSync(join(folder, 'model', 'm2fp.json'), 'utf8')) as ModelManifest;
    const names = labels.map((_, index) => `name ${index}`);
    const file = join(folder, 'labels.txt');
    writeFileSync(file, `${names.join('\n')}\n`);
    await success(
      'convert',
      checkpoint,
      `--out=${out}`,
      '--id=mine',
      `--labels=${file}`,
      '--precision=fp16',
      '--short-side=128',
      '--long-side=256',
    );
    const manifest = JSON.parse(readFileSync(join(out, 'm2fp.json'), 'utf8')) as ModelManifest;
    assert.equal(manifest.id, 'mine');
    assert.equal(manifest.precision, 'fp16');
    assert.deepEqual(manifest.labels, names);
    assert.deepEqual(manifest.input, { kind: 'short-side', shortSide: 128, longSide: 256 });
  });

  it('writes for other engines', async () => {
    const out = join(folder, 'grid-sample');
    const outcome = await success('convert', checkpoint, '--out', out, '--operators', 'grid-sample');
    assert.match(outcome.out, /^operators: +grid-sample$/m);
    const manifest = JSON.parse(readFileSync(join(out, 'm2fp.json'), 'utf8')) as ModelManifest;
    assert.deepEqual([manifest.operators, manifest.converter.opset], ['grid-sample', 17]);
    const parsed = await success('parse', image, '--model', out, '--short-side', '64');
    assert.equal((JSON.parse(parsed.out) as { model: { id: string } }).model.id, 'multi');
    const again = ['--pictures', join(bundledModelFolder(), 'samples'), '--out', join(folder, 'int8')];
    assert.match(await failure('M2FP_BAD_OPTION', 'quantize', out, ...again), /for other engines/);
    const both = ['--operators', 'grid-sample', '--precision', 'int8', '--out', join(folder, 'both')];
    const refused = await failure('M2FP_BAD_OPTION', 'convert', checkpoint, ...both);
    assert.match(refused, /cannot be made int8 here: leave out --operators, or take another --precision$/m);
    assert.ok(!refused.includes('partial'));
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`is ended by ${signal} half-way, and leaves nothing behind`, async function () {
      if (process.platform === 'win32') this.skip();
      const parent = join(folder, signal);
      mkdirSync(parent);
      const out = join(parent, 'model');
      const env = interruptedAt('Converting: 50 %', signal, folder);
      const outcome = await m2fp(['convert', checkpoint, '--out', out], env);
      assert.equal(outcome.code, code, outcome.err);
      assert.equal(outcome.out, '');
      const [last, ...percents] = outcome.err.trimEnd().split('\n').toReversed();
      assert.equal(last, `m2fp: M2FP_CANCELLED: Interrupted. Nothing was written to ${out}`);
      assert.ok(percents.every((line) => /^Converting: \d+ %$/.test(line)) && percents.length < 11);
      assert.deepEqual(readdirSync(parent), []);
    });
  }

  it('leaves the model that was there when it is interrupted', async function () {
    if (process.platform === 'win32') this.skip();
    const out = join(folder, 'kept');
    await success('convert', checkpoint, '--out', out, '--id', 'before');
    const env = interruptedAt('Converting: 50 %', 'SIGINT', folder);
    assert.equal((await m2fp(['convert', checkpoint, '--out', out], env)).code, 130);
    const manifest = JSON.parse(readFileSync(join(out, 'm2fp.json'), 'utf8')) as ModelManifest;
    assert.equal(manifest.id, 'before');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('kept.')),
      [],
    );
  });

  it('makes an int8 model, and keeps nothing of the float one', async () => {
    const out = join(folder, 'int8');
    const pictures = join(bundledModelFolder(), 'samples');
    const sizes = ['--short-side', '64', '--long-side', '128'];
    const made = await success(
      'convert',
      checkpoint,
      '--precision=int8',
      '--pictures',
      pictures,
      ...sizes,
      '--out',
      out,
    );
    assert.match(made.err, /^Converting: 100 %$[^]*^Making it int8: 100 %$/m);
    assert.match(made.out, /^weights: +int8, /m);
    const { id, precision, int8 } = JSON.parse(readFileSync(join(out, 'm2fp.json'), 'utf8')) as ModelManifest;
    assert.deepEqual([id, precision, int8?.from.precision], ['multi', 'int8', 'fp32']);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('int8.')),
      [],
    );
  }).timeout(180_000);

  describe('refuses, and leaves nothing behind,', () => {
    const parent = join(folder, 'refused');
    const out = join(parent, 'model');
    before(() => mkdirSync(parent));

    const refused: [what: string, code: string, ...args: string[]][] = [
      ['what is not there', 'M2FP_MODEL_NOT_FOUND', join(folder, 'nowhere')],
      ['what is no checkpoint', 'M2FP_CHECKPOINT_INVALID', join(root, 'package.json')],
      ['another kind', 'M2FP_BAD_OPTION', checkpoint, '--kind', 'many'],
      ['another precision', 'M2FP_BAD_OPTION', checkpoint, '--precision', 'int4'],
      ['pictures of what is not to be int8', 'M2FP_BAD_OPTION', checkpoint, '--pictures', folder],
      [
        'int8 without pictures in the folder',
        'M2FP_NO_IMAGE',
        checkpoint,
        '--precision=int8',
        '--pictures',
        parent,
      ],
      ['other operators', 'M2FP_BAD_OPTION', checkpoint, '--operators', 'gather'],
      ['a size that is no number', 'M2FP_BAD_OPTION', checkpoint, '--short-side', 'big'],
      ['labels that are not there', 'M2FP_BAD_OPTION', checkpoint, '--labels', join(folder, 'nowhere')],
      ['labels that are a picture', 'M2FP_BAD_OPTION', checkpoint, '--labels', image],
    ];
    for (const [what, code, ...args] of refused) {
      it(what, async () => {
        await failure(code, 'convert', ...args, '--out', out);
        assert.deepEqual(readdirSync(parent), []);
      });
    }
  });
});
