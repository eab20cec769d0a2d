/** The `m2fp` command as a user meets it: its helps, and what it says where it is used wrongly. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import packageJson from '../../package.json' with { type: 'json' };
import { failure, program, success } from './support.ts';

const COMMANDS = [
  'pull',
  'models',
  'convert',
  'quantize',
  'compare',
  'parse',
  'video',
  'export',
  'worker',
  'doctor',
];

describe('m2fp', () => {
  for (const version of ['--version', '-v', 'version']) {
    it(`tells its version: ${version}`, async () => {
      assert.equal((await success(version)).out, `${packageJson.version}\n`);
    });
  }

  describe('explains itself', () => {
    let help = '';
    before(async () => {
      help = (await success('--help')).out;
    });

    for (const asked of [[], ['help'], ['-h']]) {
      it(`by "m2fp ${asked.join(' ')}"`, async () => {
        assert.equal((await success(...asked)).out, help);
      });
    }
    for (const command of COMMANDS) {
      it(`and names ${command}`, () => assert.ok(help.includes(command)));
    }
  });

  for (const command of COMMANDS) {
    it(`explains ${command}`, async () => {
      const { out, err } = await success(command, '--help');
      assert.ok(out.startsWith(`Usage: m2fp ${command} `));
      assert.equal(err, '');
    });
  }

  for (const asked of [
    ['help', 'parse'],
    ['parse', '-h'],
    ['--help', 'parse'],
  ]) {
    it(`explains parse by "m2fp ${asked.join(' ')}" too`, async () => {
      assert.equal((await success(...asked)).out, (await success('parse', '--help')).out);
    });
  }

  (process.platform === 'linux' ? it : it.skip)(
    'says in a line that its output cannot be written',
    async () => {
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [program, '--help'], { stdio: ['ignore', full, 'pipe'] });
      let err = '';
      child.stderr!.setEncoding('utf8').on('data', (text: string) => (err += text));
      const [code] = (await once(child, 'close')) as [number];
      closeSync(full);
      assert.equal(code, 1);
      assert.match(err, /^m2fp: The output cannot be written: ENOSPC.*\n$/);
    },
  );

  const wrong: [args: string[], words: RegExp][] = [
    [['pares'], /"pares", did you mean "parse"\?.*m2fp --help/],
    [['--hlep'], /did you mean "--help"/],
    [['help', 'modles'], /did you mean "models"/],
    [['models', 'verfy'], /did you mean "verify"/],
    [['parse', 'a.png', '--colourize', 'x.png'], /did you mean "--colorize"/],
    [['parse', 'a.png', '--size', '3'], /--size.*m2fp parse --help/],
    [['parse', 'a.png', '--min-score', '2'], /--min-score takes a number from 0\.1 to 1, not "2"/],
    [['parse', 'a.png', '--out'], /m2fp parse --help/],
    [['parse', 'a.png', '--out', '--flip'], /--out takes a value, which is missing.*--out=--flip/],
    [['parse', 'a.png', '--flip=yes'], /--flip takes no value/],
    [['parse', 'a.png', '-f'], /There is no option -f/],
    [['parse'], /PICTURE.*m2fp parse --help/],
    [['convert', 'a.pt'], /--out.*m2fp convert --help/],
  ];
  for (const [args, words] of wrong) {
    it(`points to what is right for "m2fp ${args.join(' ')}"`, async () => {
      assert.match(await failure('M2FP_BAD_OPTION', ...args), words);
    });
  }
});
