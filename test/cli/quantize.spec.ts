/** `m2fp quantize` as a user meets it: on the bundled model and its samples. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { temporaryFolder } from '../support/installed-package.ts';
import { failure, interruptedAt, m2fp, success } from './support.ts';

const folder = temporaryFolder('cli-quantize');
const bundled = bundledModelFolder();
const samples = join(bundled, 'samples');

describe('m2fp quantize', function () {
  this.timeout(180_000);

  it('makes a model that parses a picture, and tells how', async () => {
    const out = join(folder, 'int8');
    const made = await success(
      'quantize',
      bundled,
      '--pictures',
      samples,
      '--out',
      out,
      '--parts',
      'res4, res5',
      '--weight-bits=8',
    );
    assert.match(made.out, /^weights: +int8, [\d.]+ MB$/m);
    assert.match(made.out, /^int8: +res4, res5; weights of 8 bits, min-max ranges of \d+ pictures$/m);
    assert.match(made.err, /^Making it int8: 100 %$/m);
    assert.match(made.err, /warning: Only \d+ pictures were used/);
    const { precision, int8 } = JSON.parse(readFileSync(join(out, 'm2fp.json'), 'utf8')) as ModelManifest;
    assert.deepEqual([precision, int8?.parts], ['int8', ['res4', 'res5']]);

    const parsed = await success('parse', join(samples, 'two-people.png'), '--model', out);
    const { model, persons } = JSON.parse(parsed.out) as { model: { precision: string }; persons: unknown[] };
    assert.equal(model.precision, 'int8');
    assert.equal(persons.length, 2);

    assert.match(
      await failure(
        'M2FP_BAD_OPTION',
        'quantize',
        out,
        '--pictures',
        samples,
        '--out',
        join(folder, 'again'),
      ),
      /int8 already/,
    );
  });

  it('puts the model into the store where no folder is named, and lists it with what it is worth', async () => {
    const store = join(folder, 'store');
    const made = await success('quantize', bundled, '--pictures', samples, '--store', store);
    assert.match(made.out, /^model: +local\/demo$/m);
    assert.match(
      made.out,
      /^like fp16: +\d+\.\d % of the pixels \(\d+\.\d % in the worst picture\), \d+\.\d % of the foreground, \d+ of \d+ persons/m,
    );
    assert.match(
      made.out,
      /^a picture: +[\d.]+ s in place of [\d.]+ s, [\d.]+ times as fast by processor time \(.+, threads: \d+\)$/m,
    );
    assert.match(made.out, /^folder: +\S+\+int8$/m);
    const list = await success('models', '--store', store);
    assert.match(
      list.out,
      /^ {2}int8: +stem\.conv2, .*; weights of 7 bits, min-max ranges of \d+ pictures$/m,
    );
    assert.match(list.out, /^ {2}like fp16: /m);
    const json = JSON.parse((await success('models', '--json', '--store', store)).out) as [
      { precision: string; int8: { report: { agreement: { pictures: number } } } },
    ];
    assert.equal(json[0].precision, 'int8');
    assert.ok(json[0].int8.report.agreement.pictures >= 1);
  });

  it('says that it could not be compared where the pictures show nobody', async () => {
    const dark = join(folder, 'dark');
    mkdirSync(dark);
    for (let i = 0; i < 5; i++) {
      const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, j) => (j * (i + 1)) % 7));
      await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } }).toFile(join(dark, `${i}.png`));
    }
    const store = join(folder, 'dark-store');
    const made = await success('quantize', bundled, '--pictures', dark, '--store', store);
    const nothing =
      /^ *like fp16: +unknown: both saw nobody, so nothing was compared; one picture was held back$/m;
    const advice = /Make it again with 32 or more pictures of people like those that it will parse/;
    assert.match(made.out, nothing);
    assert.match(made.err, advice);
    const list = await success('models', '--store', store);
    assert.match(list.out, nothing);
    assert.match(list.out, advice);
  });

  const quick = ['--pictures', samples, '--parts', 'res5'];
  const own = (name: string) => {
    const parent = join(folder, name);
    mkdirSync(parent);
    return { parent, out: join(parent, 'int8') };
  };

  it('never replaces the model that it reads, by whatever path', async function () {
    const model = join(folder, 'float');
    cpSync(bundled, model, { recursive: true });
    const paths = [model, join(folder, 'int8', '..', 'float')];
    if (process.platform !== 'win32') {
      symlinkSync(model, join(folder, 'link'));
      paths.push(join(folder, 'link'));
    }
    for (const out of paths)
      assert.match(
        await failure('M2FP_BAD_OPTION', 'quantize', model, ...quick, '--out', out),
        /is the folder of the model itself, which stays as it is: name another folder/,
      );
    const files = (of: string) => readFileSync(join(of, 'm2fp.json'), 'utf8');
    assert.equal(files(model), files(bundled));
  });

  it("puts no model over another program's file, or into the place of one", async () => {
    const { parent, out } = own('foreign');
    mkdirSync(out);
    writeFileSync(join(out, 'model.onnx'), 'of another program');
    assert.match(
      await failure('M2FP_BAD_OPTION', 'quantize', bundled, ...quick, '--out', out),
      /holds a model\.onnx of another program .*: name another folder/,
    );
    assert.deepEqual(readdirSync(out), ['model.onnx']);
    const file = join(out, 'model.onnx');
    assert.match(
      await failure('M2FP_BAD_OPTION', 'quantize', bundled, ...quick, '--out', file),
      /is a file: name a folder/,
    );
    assert.match(
      await failure('M2FP_BAD_OPTION', 'quantize', bundled, ...quick, '--out', join(file, 'x')),
      /a file is in its place or above it: name another folder/,
    );
    assert.deepEqual(readdirSync(parent), ['int8']);
  });

  for (const times of [1, 2] as const) {
    it(`leaves nothing in the store where ${times === 1 ? 'a signal comes' : 'two signals come'} at its very end`, async function () {
      if (process.platform === 'win32') this.skip();
      const store = join(folder, `store-${times}`);
      const env = interruptedAt('Making it int8: 100 %', 'SIGTERM', folder, times);
      const { code, err } = await m2fp(['quantize', bundled, ...quick, '--store', store], env);
      assert.equal(code, 143, err);
      if (times === 1) {
        assert.match(err, /^m2fp: M2FP_CANCELLED: Interrupted\. The store is as it was$/m);
        assert.ok(!existsSync(store));
      } else {
        assert.match(err, /^m2fp: Ended at once\. What may be left half-made, the next run clears\.$/m);
        await success('quantize', bundled, ...quick, '--store', store);
        assert.ok(!existsSync(join(store, '.partial')) || readdirSync(join(store, '.partial')).length === 0);
      }
    });
  }

  it('clears what one that was killed has left beside the same folder', async function () {
    if (process.platform === 'win32') this.skip();
    const { parent, out } = own('killed');
    const args = ['quantize', bundled, ...quick, '--out', out];
    const killed = await m2fp(args, interruptedAt('Making it int8: 70 %', 'SIGKILL', folder));
    assert.equal(killed.code, null);
    assert.match(readdirSync(parent).join(), /^int8\.partial-\d+-\w+$/);
    await success(...args);
    assert.deepEqual(readdirSync(parent), ['int8']);
  });

  it('ends with its child at a second signal half-way', async function () {
    if (process.platform === 'win32') this.skip();
    const { parent, out } = own('twice');
    const env = interruptedAt('Making it int8: 60 %', 'SIGINT', folder, 2);
    const { code, err } = await m2fp(['quantize', bundled, ...quick, '--out', out], env);
    assert.equal(code, 130, err);
    assert.match(err, /^m2fp: Ended at once\./m);
    assert.deepEqual(readdirSync(parent), []);
  });

  it('says what is missing or wrong, and makes nothing', async () => {
    const out = join(folder, 'none');
    const wrong = (...args: string[]) => failure('M2FP_BAD_OPTION', 'quantize', bundled, ...args);
    assert.match(await wrong('--pictures', samples, '--out', out, '--parts', 'res9'), /no part res9/);
    assert.match(
      await wrong('--pictures', samples, '--out', out, '--weight-bits', '4'),
      /takes 7, 8, not "4"/,
    );
    for (const name of ['bundled', 'm2fp-demo'])
      assert.match(
        await failure('M2FP_BAD_OPTION', 'quantize', name, '--out', out, '--parts', 'res9'),
        /no part res9/,
        'the bundled model has a name',
      );
    const none = join(folder, 'no-pictures');
    assert.match(
      await failure('M2FP_NO_IMAGE', 'quantize', bundled, '--pictures', none, '--out', out),
      /pictures cannot be read/,
    );
    assert.ok(!existsSync(out));
  });
});
