/** Options that would be without effect beside others are refused, by every command: whoever types one expects something of it. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, temporaryFolder } from '../support/installed-package.ts';
import { failure } from './support.ts';

const folder = temporaryFolder('cli-unused-options');
const pictures = join(root, 'models', 'demo', 'samples');
const picture = join(pictures, 'two-people.png');
const single = join(root, 'test', 'golden', 'single');
const saved = join(folder, 'saved.json');
const made = join(folder, 'made');

const parse = ['parse', pictures, '--out', made];
const add = ['export', '--format', 'coco', '--out', made];
const video = ['video', picture, '--out', `${made}.mp4`];
const REDIS = ['--redis', 'redis://127.0.0.1:1'];

const NO_JSON = /is of the JSON, and --make \((redact|crop,mask|export)\) makes none/;
const NO_WORKERS = /is of workers on other machines: say --redis/;
const THEIRS = /is the workers' own with --redis/;
const SAVED = /parsings that were saved are not parsed again/;
const MANY = /is of many pictures/;
const ONE_PERSON = /is of models for several people/;
const NO_INT8 = /add --precision int8/;
const ONE_LIST = /--watch .* a list on the standard input can be read once/;

type Case = readonly [given: readonly string[], unused: readonly string[], words: RegExp];

/** One option, with its value where it has one, after the other. */
const each = (given: readonly string[], words: RegExp, ...unused: string[][]): Case[] =>
  unused.map((option) => [given, option, words]);

const QUEUE = [
  ['--queue', 'q'],
  ['--password-file', saved],
];
const OWN_ENGINE = [
  ['--model', 'bundled'],
  ['--processes', '2'],
  ['--store', folder],
  ['--user-dir', folder],
];

const CASES: readonly Case[] = [
  ...each([...parse, '--make', 'redact'], NO_JSON, ['--format', 'full'], ['--format', 'summary']),
  ...each([...parse, '--make', 'crop,mask'], NO_JSON, ['--polygons']),
  ...each([...parse, '--make', 'export'], NO_JSON, ['--polygons', '--iou', '0.9']),
  ...each(parse, /give --polygons/, ['--iou', '0.9']),
  ...each(parse, /makes none/, ['--options', '{"mask": {}}']),
  ...each(parse, /--make colorize/, ['--colorize', made]),
  ...each(['parse', picture], MANY, ['--options', '{}'], ['--processes', '2'], REDIS, ...QUEUE),
  ...each(['parse', '-', '--out', made], ONE_LIST, ['--watch']),
  ...each([...add, '-'], ONE_LIST, ['--watch']),
  ...each([...add, saved], SAVED, ['--watch'], ...OWN_ENGINE, REDIS, ...QUEUE),
  ...each([...add, saved], SAVED, ['--max-megapixels', '1'], ['--max-image-size', '1']),
  ...[parse, [...add, pictures], video].flatMap((command) => [
    ...each(command, NO_WORKERS, ...QUEUE),
    ...each([...command, ...REDIS], THEIRS, ...OWN_ENGINE),
  ]),
  ...each(video, /--view is redact/, ['--options', '{"colorize": {}}']),
  ...each([...video, '--view', 'boxes'], /--view is boxes/, ['--options', '{"redact": {}}']),
  ...each(['convert', single, '--out', made], ONE_PERSON, ['--short-side', '640'], ['--long-side', '640']),
  ...each(['convert', single, '--out', made], NO_INT8, ['--pictures', pictures]),
  ...each(['pull', 'a/b', '--store', made], NO_INT8, ['--pictures', pictures]),
];

describe('options that would be without effect', () => {
  before(() => writeFileSync(saved, '{}'));
  afterEach(() => rmSync(made, { recursive: true, force: true }));

  for (const [given, unused, words] of CASES) {
    const short = [...given, '+', ...unused].map((word) => word.replace(/^\/.*\//, ''));
    it(`are refused: ${short.join(' ')}`, async () => {
      const said = await failure('M2FP_BAD_OPTION', ...given, ...unused);
      assert.match(said, words);
      assert.ok(!existsSync(made), 'nothing is begun');
    });
  }
});
