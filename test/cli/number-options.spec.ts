/** What the commands say of numbers that are out of range: each option that takes one, by its own name and range. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { root, temporaryFolder } from '../support/installed-package.ts';
import { failure, success } from './support.ts';

const folder = temporaryFolder('cli-number-options');
const pictures = join(root, 'models', 'demo', 'samples');
const out = (name: string): string[] => ['--out', join(folder, name)];

const side = (max: number): string => `a whole number from 1 to ${max}`;
const ENGINE = { processes: 'a whole number from 0 to 64' };
const PARSING = { 'short-side': side(4096), 'long-side': side(8192), 'min-score': 'a number from 0.1 to 1' };
const LIMITS = {
  'max-megapixels': 'a number above 0 and up to 500',
  'max-image-size': 'a number above 0 and up to 1024',
};

/** Of each command that takes numbers: what it is given beside, and what each number may be. */
const COMMANDS: Readonly<Record<string, { given: string[]; ranges: Readonly<Record<string, string>> }>> = {
  parse: {
    given: [pictures, ...out('parsed'), '--polygons'],
    ranges: { ...ENGINE, ...PARSING, ...LIMITS, iou: 'a number from 0.5 to 1' },
  },
  export: {
    given: [pictures, '--format', 'coco', ...out('set')],
    ranges: {
      ...ENGINE,
      ...LIMITS,
      iou: 'a number from 0.5 to 1',
      validation: 'a whole number from 0 to 90',
      'min-score': PARSING['min-score'],
    },
  },
  video: {
    given: [join(pictures, 'two-people.png'), ...out('video.mp4')],
    ranges: { ...ENGINE, ...PARSING, every: 'a whole number from 1 to 250' },
  },
  convert: {
    given: [join(root, 'test', 'golden', 'multi'), ...out('model')],
    ranges: { 'short-side': 'a whole number from 32 to 4096', 'long-side': 'a whole number from 32 to 4096' },
  },
  quantize: { given: ['bundled', ...out('int8')], ranges: { 'weight-bits': '7, 8' } },
  compare: {
    given: ['bundled', '--b', 'flip', '--pictures', pictures],
    ranges: { limit: 'a whole number from 1 on' },
  },
  worker: {
    given: [],
    ranges: {
      ...ENGINE,
      ...LIMITS,
      threads: 'a whole number from 0 to 1024',
      timeout: 'a number from 0 to 2147483',
      'max-memory': 'a whole number from 0 to 16777216',
    },
  },
};

describe('numbers that m2fp takes', () => {
  for (const [command, { given, ranges }] of Object.entries(COMMANDS)) {
    it(`${command} has no other ones`, async () => {
      const { out: help } = await success(command, '--help');
      const named = [...help.matchAll(/^ {2}--([\w-]+) (?:N|SECONDS|MIB)\b/gm)].map(([, name]) => name!);
      assert.deepEqual(named.toSorted(), Object.keys(ranges).toSorted());
    });

    for (const [option, range] of Object.entries(ranges)) {
      it(`${command} --${option} takes ${range}`, async () => {
        const said = await failure('M2FP_BAD_OPTION', command, ...given, `--${option}`, '-1');
        assert.equal(said, `m2fp: M2FP_BAD_OPTION: --${option} takes ${range}, not "-1"\n`);
      });
    }
  }

  for (const [setting, range] of [
    ['short-side', side(4096)],
    ['long-side', side(8192)],
  ] as const) {
    it(`compare --b ${setting}=N takes ${range}`, async () => {
      const said = await failure(
        'M2FP_BAD_OPTION',
        'compare',
        'bundled',
        '--b',
        `${setting}=-1`,
        '--pictures',
        pictures,
      );
      assert.ok(said.endsWith(`: --b ${setting} takes ${range}, not "-1"\n`), said);
    });
  }

  for (const text of ['many', '', '1.5', 'NaN', '-Infinity', '-1e3']) {
    it(`"${text}" is none for processes`, async () => {
      const { given } = COMMANDS['parse']!;
      const said = await failure('M2FP_BAD_OPTION', 'parse', ...given, `--processes=${text}`);
      assert.ok(said.endsWith(`--processes takes ${ENGINE.processes}, not "${text}"\n`), said);
    });
  }
});
