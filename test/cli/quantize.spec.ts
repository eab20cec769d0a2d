/** `m2fp quantize` as a user meets it: on the bundled model and its samples. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { temporaryFolder } from '../support/installed-package.ts';
import { failure, success } from './support.ts';

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
