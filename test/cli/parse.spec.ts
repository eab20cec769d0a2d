/** `m2fp parse` as a user meets it: what it prints, where, and how it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import sharp from 'sharp';
import {
  type Parsing,
  type ParsingSummary,
  type ModelScopeResult,
  rleArea,
} from '../../src/parsing/index.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { refusing, withPreload } from '../observe/support/preload.ts';
import { root, temporaryFolder } from '../support/installed-package.ts';
import { failure, m2fp, success } from './support.ts';

const checkpoint = join(root, 'test', 'golden', 'multi');
const image = join(bundledModelFolder(), 'samples', 'two-people.png');
const program = join(root, 'dist', 'cli', 'm2fp.js');
const folder = temporaryFolder('cli-parse');

describe('m2fp parse', function () {
  this.timeout(60_000);

  it('prints persons and parts, with the bundled model', async () => {
    const { out, err } = await success('parse', image);
    const summary = JSON.parse(out) as ParsingSummary;
    assert.deepEqual([summary.width, summary.height, summary.model.id], [448, 448, 'm2fp-demo']);
    assert.ok(summary.persons.length > 0);
    assert.equal(err, '');
  });

  it('says on the error output that it runs on WebAssembly where the native runtime does not load', async () => {
    const env = withPreload(refusing('onnxruntime-node', "throw new Error('no binary')"), folder);
    const { code, out, err } = await m2fp(['parse', image], env);
    assert.equal(code, 0, err);
    assert.match(err, /^m2fp: The model runs on WebAssembly, .* slower\. .*no binary[^\n]*\n$/);
    const wasm = JSON.parse(out) as ParsingSummary;
    const native = JSON.parse((await success('parse', image)).out) as ParsingSummary;
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
      (await success('parse', image, '--format', 'modelscope')).out,
    ) as ModelScopeResult;
    assert.ok(labels.length > 0);
    assert.deepEqual([scores.length, masks.length], [labels.length, labels.length]);
    assert.ok(labels.includes('Human') && labels.includes('Face'));
    for (const { size } of masks) assert.deepEqual(size, [448, 448]);
  });

  it('sees people whom transparency hides only as ModelScope does', async () => {
    const hidden = join(folder, 'hidden.png');
    const opaque = sharp(image).removeAlpha();
    await opaque.ensureAlpha(0).png().toFile(hidden);
    const [known, found] = [image, hidden].map(async (file) =>
      success('parse', file, '--format', 'modelscope'),
    );
    assert.equal((await found!).out, (await known!).out);
    const { persons, parts } = JSON.parse((await success('parse', hidden)).out) as ParsingSummary;
    assert.deepEqual([persons, parts], [[], []]);
  });

  it('reads a pipe', async function () {
    if (process.platform === 'win32') this.skip();
    const pipe = spawn('sh', ['-c', 'cat "$0" | node "$1" parse /dev/stdin', image, program]);
    const printed = JSON.parse(await text(pipe.stdout)) as ParsingSummary;
    assert.equal(printed.persons.length, 2);
  });

  it('reads no more of a pipe than the limit', async function () {
    if (process.platform === 'win32') this.skip();
    const endless = spawn('sh', [
      '-c',
      'cat /dev/zero | node "$0" parse /dev/stdin --max-image-size 1',
      program,
    ]);
    assert.match(await text(endless.stderr), /M2FP_IMAGE_TOO_LARGE: .*the limit is 1048576/);
  });

  const noFiles: [what: string, code: string, args: string[], words: RegExp][] = [
    ['picture that is a device', 'M2FP_NO_IMAGE', ['/dev/zero'], /\/dev\/zero is a device, not a picture/],
    ['folder without a place for what is made of it', 'M2FP_BAD_OPTION', [folder], /--out is missing/],
    [
      'model that is a device',
      'M2FP_MODEL_NOT_FOUND',
      [image, '--model', '/dev/null'],
      /neither a folder nor a regular file/,
    ],
  ];
  for (const [what, code, args, words] of noFiles) {
    it(`reads no ${what}`, async function () {
      if (process.platform === 'win32') this.skip();
      assert.match(await failure(code, 'parse', ...args), words);
    });
  }

  for (const [what, content, words] of [
    ['empty', '', /empty\.png is empty: it has 0 bytes$/m],
    ['blank', 'data:image/png;base64,', /blank\.png holds no picture, nor one as base64 or data URL$/m],
  ] as const) {
    it(`says of a file that is ${what} what it is, in words of its own`, async () => {
      const file = join(folder, `${what}.png`);
      writeFileSync(file, content);
      const told = await failure('M2FP_NO_IMAGE', 'parse', file);
      assert.match(told, words);
      assert.doesNotMatch(told, /msg\.|upload/);
    });
  }

  it('reads no file above the limit', async function () {
    if (process.platform === 'win32') this.skip();
    const sparse = join(folder, 'sparse.png');
    writeFileSync(sparse, '');
    truncateSync(sparse, 5 * 2 ** 30);
    assert.match(
      await failure('M2FP_IMAGE_TOO_LARGE', 'parse', sparse),
      /has 5368709120 bytes; the limit is 33554432/,
    );
  });

  it('parses several pictures with one engine, a line each', async () => {
    const other = join(folder, 'other.png');
    copyFileSync(image, other);
    const broken = join(folder, 'broken.png');
    writeFileSync(broken, 'no picture');
    const out = join(folder, 'coloured');
    const { code, out: printed, err } = await m2fp(['parse', image, broken, other, '--colorize', out]);
    assert.equal(code, 1);
    const lines = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; persons?: object[]; error?: { code: string } });
    assert.deepEqual(
      lines.map(({ file }) => file),
      [image, broken, other],
    );
    assert.deepEqual(lines[0]!.persons, lines[2]!.persons);
    assert.match(lines[1]!.error!.code, /^M2FP_(BAD_IMAGE|UNSUPPORTED_FORMAT)$/);
    assert.match(err, /broken\.png: M2FP_/);
    assert.deepEqual(readdirSync(out).toSorted(), ['other.png', 'two-people.png']);
    const file = join(folder, 'lines.jsonl');
    await success('parse', image, other, '--format', 'modelscope', '--out', file);
    assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 2);
  });

  for (const [args, words] of [
    [[image, image, '--colorize', folder], /overwrite/],
    [[image, 'x.png', '--colorize', 'a.png'], /go into a folder/],
  ] as const) {
    it(`refuses to let one coloured picture take the place of another: ${words.source}`, async () => {
      assert.match(await failure('M2FP_BAD_OPTION', 'parse', ...args), words);
    });
  }

  it('prints all of the result, the maps in base64', async () => {
    const full = JSON.parse((await success('parse', image, '--format', 'full')).out) as Omit<
      Parsing,
      'labelMap' | 'personMap'
    > & { labelMap: string; personMap: string };
    for (const map of [full.labelMap, full.personMap])
      assert.equal(Buffer.from(map, 'base64').length, 448 * 448);
    for (const { area, mask } of full.persons) assert.equal(rleArea(mask), area);
    assert.ok(!('image' in full));
  });

  it('prints polygons, with fewer corners where less accuracy does', async () => {
    const corners = async (...more: string[]): Promise<number> => {
      const { persons, parts } = JSON.parse(
        (await success('parse', image, '--polygons', ...more)).out,
      ) as ParsingSummary;
      const rings = [...persons, ...parts].flatMap(({ polygons }) => polygons!.map(({ outer }) => outer));
      return rings.reduce((sum, ring) => sum + ring.length / 2, 0);
    };
    const [few, usual, all] = [
      await corners('--iou', '0.8'),
      await corners(),
      await corners('--format', 'full', '--iou', '1'),
    ];
    assert.ok(few > 0 && few < usual && usual < all, `${few}, ${usual}, ${all}`);
  });

  it('counts from a minimum score, and leaves ModelScope’s rules alone', async () => {
    type Found = Pick<Parsing, 'persons' | 'parts' | 'doubtful'>;
    const full = async (...more: string[]) =>
      JSON.parse((await success('parse', image, '--format', 'full', ...more)).out) as Found;
    const [usual, all] = [await full(), await full('--min-score', '0.1')];
    assert.ok([...usual.persons, ...usual.parts].every(({ score }) => score >= 0.5));
    assert.ok(all.parts.length > usual.parts.length, 'the sample has doubtful parts');
    assert.deepEqual(all.doubtful, { persons: [], parts: [] });
    assert.equal(usual.persons.length + usual.doubtful.persons.length, all.persons.length);
    assert.equal(usual.parts.length + usual.doubtful.parts.length, all.parts.length);
    const { out } = await success('parse', image, '--format', 'modelscope');
    const { scores } = JSON.parse(out) as ModelScopeResult;
    assert.deepEqual(
      scores,
      [...all.parts, ...all.persons].map(({ score }) => score),
    );
    await failure('M2FP_BAD_OPTION', 'parse', image, '--min-score', '0');
  });

  for (const [name, format] of [
    ['parts.png', 'png'],
    ['parts.JPG', 'jpeg'],
    ['parts.webp', 'webp'],
  ] as const) {
    it(`writes the result and the coloured picture to files, and nothing else: ${name}`, async () => {
      const json = join(folder, `${format}.json`);
      const colored = join(folder, name);
      const { out } = await success('parse', image, '--out', json, '--colorize', colored);
      assert.equal(out, '');
      const found = await sharp(colored).metadata();
      assert.deepEqual([found.format, found.width, found.height], [format, 448, 448]);
      assert.equal((JSON.parse(readFileSync(json, 'utf8')) as ParsingSummary).width, 448);
    });
  }

  it('takes another model and another size', async () => {
    const other = join(folder, 'model');
    await success('convert', checkpoint, '--out', other);
    const { out } = await success(
      'parse',
      image,
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
      const { out } = await success('parse', image, '--format', 'full', ...more);
      return (JSON.parse(out) as { labelMap: string }).labelMap;
    };
    assert.notEqual(await full('--flip'), await full());
    await failure('M2FP_BAD_OPTION', 'parse', image, '--flip=yes');
  });

  it('takes the id of a model in the store', async () => {
    const store = join(folder, 'store');
    await success('convert', checkpoint, '--out', join(store, 'own', 'multi', 'v2'), '--id', 'own/multi');
    const model = ['--model', 'own/multi', '--store', store, '--short-side', '64', '--long-side', '96'];
    const { out } = await success('parse', image, ...model);
    assert.equal((JSON.parse(out) as ParsingSummary).model.id, 'own/multi');
    assert.match(
      await failure('M2FP_MODEL_NOT_FOUND', 'parse', image, '--model', 'own/other', '--store', store),
      /own\/other is no folder, and no model in .*store: run "m2fp pull own\/other"/,
    );
    await success('convert', checkpoint, '--out', join(store, 'own', 'multi', 'v3'), '--id', 'own/multi');
    assert.match(
      await failure('M2FP_BAD_OPTION', 'parse', image, ...model),
      /Which one of own\/multi \(v2, fp32\), own\/multi \(v3, fp32\)/,
    );
    await success('convert', checkpoint, '--out', join(store, 'own', 'multi', 'master'), '--id', 'own/multi');
    await success('parse', image, ...model);
  });

  it('takes a checkpoint, which it converts into the store the first time', async () => {
    const store = join(folder, 'checkpoints');
    const model = ['--model', checkpoint, '--store', store, '--short-side', '64', '--long-side', '96'];
    const first = await success('parse', image, ...model);
    assert.match(first.err, /^Converting/);
    const { id } = (JSON.parse(first.out) as ParsingSummary).model;
    assert.match(id, /^local\//);
    const second = await success('parse', image, ...model);
    assert.deepEqual([second.err, (JSON.parse(second.out) as ParsingSummary).model.id], ['', id]);
  });

  const truncated = join(folder, 'truncated.png');
  before(() => writeFileSync(truncated, readFileSync(image).subarray(0, 20_000)));
  const wrong: [what: string, code: string, ...args: string[]][] = [
    ['a file that is not there', 'M2FP_NO_IMAGE', join(folder, 'nowhere.png')],
    ['a file that is no picture', 'M2FP_UNSUPPORTED_FORMAT', join(root, 'package.json')],
    ['half a picture', 'M2FP_BAD_IMAGE', truncated],
    ['a model that is not there', 'M2FP_MODEL_NOT_FOUND', image, '--model', join(folder, 'nowhere')],
    ['another format', 'M2FP_BAD_OPTION', image, '--format', 'xml'],
    ['a size of nothing', 'M2FP_BAD_OPTION', image, '--short-side', '0'],
    ['an accuracy of what is not wanted', 'M2FP_BAD_OPTION', image, '--iou', '0.9'],
    ['an accuracy below a half', 'M2FP_BAD_OPTION', image, '--polygons', '--iou', '0.4'],
    [
      'polygons that ModelScope does not have',
      'M2FP_BAD_OPTION',
      image,
      '--polygons',
      '--format',
      'modelscope',
    ],
    ['more megapixels than there may be', 'M2FP_BAD_OPTION', image, '--max-megapixels', '501'],
    ['a file in no folder', 'M2FP_BAD_OPTION', image, '--out', join(folder, 'nowhere', 'result.json')],
  ];
  for (const [what, code, ...args] of wrong) {
    it(`says in one line what is wrong with ${what}`, async () =>
      void (await failure(code, 'parse', ...args)));
  }

  // The one limit is kept in this process, the other in the engine's.
  for (const limit of ['--max-image-size', '--max-megapixels']) {
    it(`names the limit that a picture is above: ${limit}`, async () => {
      const said = await failure('M2FP_IMAGE_TOO_LARGE', 'parse', image, limit, '0.001');
      assert.ok(said.includes(limit), said);
    });
  }

  it('writes no coloured picture in a format that it does not write', async () => {
    const gif = join(folder, 'parts.gif');
    await failure('M2FP_BAD_OPTION', 'parse', image, '--colorize', gif);
    assert.ok(!existsSync(gif));
  });

  it('takes no offence at a reader that stops early', async () => {
    const child = spawn(
      process.execPath,
      [join(root, 'src/cli/m2fp.ts'), 'parse', image, '--format', 'full'],
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
