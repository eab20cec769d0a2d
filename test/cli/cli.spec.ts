/** The `m2fp` command as a user meets it: what it prints, where, and how it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import sharp from 'sharp';
import packageJson from '../../package.json' with { type: 'json' };
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import {
  type Parsing,
  type ParsingSummary,
  type ModelScopeResult,
  rleArea,
} from '../../src/parsing/index.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { refusing, withPreload } from '../observe/support/preload.ts';
import { root, temporaryFolder } from '../support/installed-package.ts';
import { failure, interruptedAt, m2fp, start, success } from './support.ts';

const checkpoint = join(root, 'test', 'golden', 'multi');
const picture = join(bundledModelFolder(), 'samples', 'two-people.png');
const program = join(root, 'dist', 'cli', 'm2fp.js');
const folder = temporaryFolder('cli');

describe('m2fp', () => {
  it('tells its version and explains itself and every command', async () => {
    for (const version of ['--version', '-v', 'version'])
      assert.equal((await success(version)).out, `${packageJson.version}\n`);
    const help = (await success('--help')).out;
    for (const asked of [[], ['help'], ['-h']]) assert.equal((await success(...asked)).out, help);
    const about = (await success('parse', '--help')).out;
    for (const asked of [
      ['help', 'parse'],
      ['parse', '-h'],
      ['--help', 'parse'],
    ])
      assert.equal((await success(...asked)).out, about);
    for (const command of ['pull', 'models', 'convert', 'parse', 'worker', 'doctor']) {
      assert.ok(help.includes(command));
      const { out, err } = await success(command, '--help');
      assert.ok(out.startsWith(`Usage: m2fp ${command} `));
      assert.equal(err, '');
    }
  });

  it('points to the help when it is used wrongly', async () => {
    assert.match(await failure('M2FP_BAD_OPTION', 'pares'), /"pares", did you mean "parse"\?.*m2fp --help/);
    assert.match(await failure('M2FP_BAD_OPTION', 'help', 'modles'), /did you mean "models"/);
    assert.match(await failure('M2FP_BAD_OPTION', 'models', 'verfy'), /did you mean "verify"/);
    assert.match(
      await failure('M2FP_BAD_OPTION', 'parse', picture, '--colourize', 'x.png'),
      /did you mean "--colorize"/,
    );
    assert.match(
      await failure('M2FP_BAD_OPTION', 'parse', picture, '--size', '3'),
      /--size.*m2fp parse --help/,
    );
    assert.match(await failure('M2FP_BAD_OPTION', 'parse'), /PICTURE.*m2fp parse --help/);
    assert.match(await failure('M2FP_BAD_OPTION', 'parse', picture, '--out'), /m2fp parse --help/);
    assert.match(await failure('M2FP_BAD_OPTION', 'convert', checkpoint), /--out.*m2fp convert --help/);
  });
});

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

  it('refuses what cannot be converted, and leaves nothing behind', async () => {
    const parent = join(folder, 'refused');
    mkdirSync(parent);
    const out = join(parent, 'model');
    await failure('M2FP_MODEL_NOT_FOUND', 'convert', join(folder, 'nowhere'), '--out', out);
    await failure('M2FP_CHECKPOINT_INVALID', 'convert', join(root, 'package.json'), '--out', out);
    await failure('M2FP_BAD_OPTION', 'convert', checkpoint, '--out', out, '--kind', 'many');
    await failure('M2FP_BAD_OPTION', 'convert', checkpoint, '--out', out, '--precision', 'int8');
    await failure('M2FP_BAD_OPTION', 'convert', checkpoint, '--out', out, '--short-side', 'big');
    await failure(
      'M2FP_BAD_OPTION',
      'convert',
      checkpoint,
      '--out',
      out,
      '--labels',
      join(folder, 'nowhere'),
    );
    await failure('M2FP_BAD_OPTION', 'convert', checkpoint, '--out', out, '--labels', picture);
    assert.deepEqual(readdirSync(parent), []);
  });
});

describe('m2fp parse', function () {
  this.timeout(60_000);

  it('prints persons and parts, with the bundled model', async () => {
    const { out, err } = await success('parse', picture);
    const summary = JSON.parse(out) as ParsingSummary;
    assert.deepEqual([summary.width, summary.height, summary.model.id], [448, 448, 'm2fp-demo']);
    assert.ok(summary.persons.length > 0);
    assert.equal(err, '');
  });

  it('says on the error output that it runs on WebAssembly where the native runtime does not load', async () => {
    const env = withPreload(refusing('onnxruntime-node', "throw new Error('no binary')"), folder);
    const { code, out, err } = await m2fp(['parse', picture], env);
    assert.equal(code, 0, err);
    assert.match(err, /^m2fp: The model runs on WebAssembly, .* slower\. .*no binary[^\n]*\n$/);
    const wasm = JSON.parse(out) as ParsingSummary;
    const native = JSON.parse((await success('parse', picture)).out) as ParsingSummary;
    const found = ({ persons, parts }: ParsingSummary) =>
      [...persons, ...parts].map(({ score, area }) => ({ score, area }));
    const [here, there] = [found(wasm), found(native)];
    assert.equal(here.length, there.length);
    // Both round differently in the last digits.
    for (const [i, { score, area }] of there.entries()) {
      assert.ok(Math.abs(here[i]!.score - score) < 0.002, `score ${i}`);
      assert.ok(Math.abs(here[i]!.area - area) <= 0.02 * area + 4, `area ${i}`);
    }
  });

  it('prints what ModelScope’s pipeline returns', async () => {
    const { labels, scores, masks } = JSON.parse(
      (await success('parse', picture, '--format', 'modelscope')).out,
    ) as ModelScopeResult;
    assert.ok(labels.length > 0);
    assert.deepEqual([scores.length, masks.length], [labels.length, labels.length]);
    assert.ok(labels.includes('Human') && labels.includes('Face'));
    for (const { size } of masks) assert.deepEqual(size, [448, 448]);
  });

  it('sees people whom transparency hides only as ModelScope does', async () => {
    const hidden = join(folder, 'hidden.png');
    const opaque = sharp(picture).removeAlpha();
    await opaque.ensureAlpha(0).png().toFile(hidden);
    const [known, found] = [picture, hidden].map(async (file) =>
      success('parse', file, '--format', 'modelscope'),
    );
    assert.equal((await found!).out, (await known!).out);
    const { persons, parts } = JSON.parse((await success('parse', hidden)).out) as ParsingSummary;
    assert.deepEqual([persons, parts], [[], []]);
  });

  it('reads a pipe, and neither folders nor devices', async function () {
    if (process.platform === 'win32') this.skip();
    const pipe = spawn('sh', ['-c', 'cat "$0" | node "$1" parse /dev/stdin', picture, program]);
    const printed = JSON.parse(await text(pipe.stdout)) as ParsingSummary;
    assert.equal(printed.persons.length, 2);
    for (const [file, pattern] of [
      ['/dev/zero', /\/dev\/zero is a device, not a picture/],
      [folder, /is a folder: name the pictures in it/],
    ] as const) {
      assert.match(await failure('M2FP_NO_IMAGE', 'parse', file), pattern);
    }
    assert.match(
      await failure('M2FP_MODEL_NOT_FOUND', 'parse', picture, '--model', '/dev/null'),
      /neither a folder nor a regular file/,
    );
    const sparse = join(folder, 'sparse.png');
    writeFileSync(sparse, '');
    truncateSync(sparse, 5 * 2 ** 30);
    assert.match(
      await failure('M2FP_IMAGE_TOO_LARGE', 'parse', sparse),
      /has 5368709120 bytes; the limit is 33554432/,
    );
    const endless = spawn('sh', [
      '-c',
      'cat /dev/zero | node "$0" parse /dev/stdin --max-image-size 1',
      program,
    ]);
    assert.match(await text(endless.stderr), /M2FP_IMAGE_TOO_LARGE: .*the limit is 1048576/);
  });

  it('names the option of the command line', async () => {
    assert.match(
      await failure('M2FP_BAD_OPTION', 'parse', picture, '--min-score', '2'),
      /--min-score takes a number from 0\.1 to 1, not "2"/,
    );
    assert.match(await failure('M2FP_BAD_OPTION', '--hlep'), /did you mean "--help"/);
  });

  it('parses several pictures with one engine, a line each', async () => {
    const other = join(folder, 'other.png');
    copyFileSync(picture, other);
    const broken = join(folder, 'broken.png');
    writeFileSync(broken, 'no picture');
    const out = join(folder, 'coloured');
    const { code, out: printed, err } = await m2fp(['parse', picture, broken, other, '--colorize', out]);
    assert.equal(code, 1);
    const lines = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; persons?: object[]; error?: { code: string } });
    assert.deepEqual(
      lines.map(({ file }) => file),
      [picture, broken, other],
    );
    assert.deepEqual(lines[0]!.persons, lines[2]!.persons);
    assert.match(lines[1]!.error!.code, /^M2FP_(BAD_IMAGE|UNSUPPORTED_FORMAT)$/);
    assert.match(err, /broken\.png: M2FP_/);
    assert.deepEqual(readdirSync(out).toSorted(), ['other.png', 'two-people.png']);
    const file = join(folder, 'lines.jsonl');
    await success('parse', picture, other, '--format', 'modelscope', '--out', file);
    assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 2);
  });

  it('refuses to let one coloured picture take the place of another', async () => {
    assert.match(
      await failure('M2FP_BAD_OPTION', 'parse', picture, picture, '--colorize', folder),
      /overwrite/,
    );
    assert.match(
      await failure('M2FP_BAD_OPTION', 'parse', picture, 'x.png', '--colorize', 'a.png'),
      /go into a folder/,
    );
  });

  it('prints all of the result, the maps in base64', async () => {
    const full = JSON.parse((await success('parse', picture, '--format', 'full')).out) as Omit<
      Parsing,
      'labelMap' | 'personMap'
    > & { labelMap: string; personMap: string };
    for (const map of [full.labelMap, full.personMap])
      assert.equal(Buffer.from(map, 'base64').length, 448 * 448);
    for (const { area, mask } of full.persons) assert.equal(rleArea(mask), area);
    assert.ok(!('image' in full));
  });

  it('counts from a minimum score, and leaves ModelScope’s rules alone', async () => {
    type Found = Pick<Parsing, 'persons' | 'parts' | 'doubtful'>;
    const full = async (...more: string[]) =>
      JSON.parse((await success('parse', picture, '--format', 'full', ...more)).out) as Found;
    const [usual, all] = [await full(), await full('--min-score', '0.1')];
    assert.ok([...usual.persons, ...usual.parts].every(({ score }) => score >= 0.5));
    assert.ok(all.parts.length > usual.parts.length, 'the sample has doubtful parts');
    assert.deepEqual(all.doubtful, { persons: [], parts: [] });
    assert.equal(usual.persons.length + usual.doubtful.persons.length, all.persons.length);
    assert.equal(usual.parts.length + usual.doubtful.parts.length, all.parts.length);
    const { out } = await success('parse', picture, '--format', 'modelscope');
    const { scores } = JSON.parse(out) as ModelScopeResult;
    assert.deepEqual(
      scores,
      [...all.parts, ...all.persons].map(({ score }) => score),
    );
    await failure('M2FP_BAD_OPTION', 'parse', picture, '--min-score', '0');
  });

  it('writes the result and the coloured picture to files, and nothing else', async () => {
    const json = join(folder, 'result.json');
    for (const [name, format] of [
      ['parts.png', 'png'],
      ['parts.JPG', 'jpeg'],
      ['parts.webp', 'webp'],
    ] as const) {
      const colored = join(folder, name);
      const { out } = await success('parse', picture, '--out', json, '--colorize', colored);
      assert.equal(out, '');
      const found = await sharp(colored).metadata();
      assert.deepEqual([found.format, found.width, found.height], [format, 448, 448]);
    }
    assert.equal((JSON.parse(readFileSync(json, 'utf8')) as ParsingSummary).width, 448);
  });

  it('takes another model and another size', async () => {
    const other = join(folder, 'model');
    const { out } = await success(
      'parse',
      picture,
      '--model',
      other,
      '--short-side',
      '64',
      '--long-side',
      '96',
    );
    assert.equal((JSON.parse(out) as ParsingSummary).model.id, 'multi');
  });

  it('parses the mirrored picture too', async () => {
    const full = async (...more: string[]) => {
      const { out } = await success('parse', picture, '--format', 'full', ...more);
      return (JSON.parse(out) as { labelMap: string }).labelMap;
    };
    assert.notEqual(await full('--flip'), await full());
    await failure('M2FP_BAD_OPTION', 'parse', picture, '--flip=yes');
  });

  it('takes the id of a model in the store', async () => {
    const store = join(folder, 'store');
    await success('convert', checkpoint, '--out', join(store, 'own', 'multi', 'v2'), '--id', 'own/multi');
    const model = ['--model', 'own/multi', '--store', store, '--short-side', '64', '--long-side', '96'];
    const { out } = await success('parse', picture, ...model);
    assert.equal((JSON.parse(out) as ParsingSummary).model.id, 'own/multi');
    assert.match(
      await failure('M2FP_MODEL_NOT_FOUND', 'parse', picture, '--model', 'own/other', '--store', store),
      /own\/other is no folder, and no model in .*store: run "m2fp pull own\/other"/,
    );
    await success('convert', checkpoint, '--out', join(store, 'own', 'multi', 'v3'), '--id', 'own/multi');
    assert.match(
      await failure('M2FP_BAD_OPTION', 'parse', picture, ...model),
      /Which one of own\/multi \(v2, fp32\), own\/multi \(v3, fp32\)/,
    );
    await success('convert', checkpoint, '--out', join(store, 'own', 'multi', 'master'), '--id', 'own/multi');
    await success('parse', picture, ...model);
  });

  it('takes a checkpoint, which it converts into the store the first time', async () => {
    const store = join(folder, 'checkpoints');
    const model = ['--model', checkpoint, '--store', store, '--short-side', '64', '--long-side', '96'];
    const first = await success('parse', picture, ...model);
    assert.match(first.err, /^Converting/);
    const { id } = (JSON.parse(first.out) as ParsingSummary).model;
    assert.match(id, /^local\//);
    const second = await success('parse', picture, ...model);
    assert.deepEqual([second.err, (JSON.parse(second.out) as ParsingSummary).model.id], ['', id]);
  });

  it('says what is wrong in one line', async () => {
    await failure('M2FP_NO_IMAGE', 'parse', join(folder, 'nowhere.png'));
    await failure('M2FP_UNSUPPORTED_FORMAT', 'parse', join(root, 'package.json'));
    const truncated = join(folder, 'truncated.png');
    writeFileSync(truncated, readFileSync(picture).subarray(0, 20_000));
    await failure('M2FP_BAD_IMAGE', 'parse', truncated);
    await failure('M2FP_MODEL_NOT_FOUND', 'parse', picture, '--model', join(folder, 'nowhere'));
    await failure('M2FP_BAD_OPTION', 'parse', picture, '--format', 'xml');
    await failure('M2FP_BAD_OPTION', 'parse', picture, '--short-side', '0');
    await failure('M2FP_BAD_OPTION', 'parse', picture, '--max-megapixels', '501');
    // The one limit is kept in this process, the other in the engine's.
    for (const limit of ['--max-image-size', '--max-megapixels']) {
      const said = await failure('M2FP_IMAGE_TOO_LARGE', 'parse', picture, limit, '0.001');
      assert.ok(said.includes(limit), said);
    }
    const gif = join(folder, 'parts.gif');
    await failure('M2FP_BAD_OPTION', 'parse', picture, '--colorize', gif);
    assert.ok(!existsSync(gif));
    await failure('M2FP_BAD_OPTION', 'parse', picture, '--out', join(folder, 'nowhere', 'result.json'));
  });

  it('takes no offence at a reader that stops early', async () => {
    const child = spawn(
      process.execPath,
      [join(root, 'src/cli/m2fp.ts'), 'parse', picture, '--format', 'full'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child.stdout.destroy();
    const code = new Promise<number | null>((resolve) => child.on('close', resolve));
    assert.equal(await text(child.stderr), '');
    assert.equal(await code, 0);
  });
});
