/** `m2fp video` where it is used wrongly, or where there is no ffmpeg; test/services has what it makes. */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/installed-package.ts';
import { failure, m2fp } from './support.ts';

const folder = temporaryFolder('cli-video');
const at = (name: string): string => join(folder, name);
const video = at('in.mp4');

describe('m2fp video', function () {
  this.timeout(60_000);

  before(() => {
    writeFileSync(video, 'never looked at');
    symlinkSync(video, at('symbolic.mp4'));
    linkSync(video, at('hard.mp4'));
    mkdirSync(at('folder.mp4'));
  });

  const out = ['--out', at('out.mp4')];
  const wrong: [name: string, args: string[], words: RegExp][] = [
    ['no video', out, /VIDEO is missing/],
    ['no --out', [video], /--out is missing/],
    ['an ending that is none', [video, '--out', at('out.avi')], /\.mp4, \.m4v, \.mov, \.mkv, \.webm/],
    ['a view that is none', [video, ...out, '--view', 'redacted'], /redact, colorize, boxes/],
    [
      'every 0th frame',
      [video, ...out, '--every', '0'],
      /--every takes a whole number from 1 to 250, not "0"/,
    ],
    ['half a frame', [video, ...out, '--every', '1.5'], /--every/],
    ['no score', [video, ...out, '--min-score', '2'], /--min-score/],
    ['options that are no JSON', [video, ...out, '--options', '{'], /--options/],
    ['options of what is not made', [video, ...out, '--options', '{"colorize": {}}'], /--view is redact/],
    ['options of what there is not', [video, ...out, '--options', '{"crop": {}}'], /redact or colorize/],
    [
      'options that are no object',
      [video, ...out, '--options', 'null'],
      /Option "options" is null; allowed: an object/,
    ],
    ['a list of options', [video, ...out, '--options', '[]'], /allowed: an object/],
    [
      'an address as the new video',
      [video, '--out', 'http://127.0.0.1:9/x.mp4'],
      /--out http\S+ is an address/,
    ],
    ['an address as the table', [video, ...out, '--boxes', 'ftp://a/x.csv'], /--boxes ftp\S+ is an address/],
    ['an address as the video', ['rtsp://127.0.0.1:9/x.mp4', ...out], /VIDEO rtsp\S+ is an address/],
    ['itself as the new video', [video, '--out', video], /same file/],
    ['itself by a symbolic link', [video, '--out', at('symbolic.mp4')], /same file/],
    ['itself by another name', [video, '--out', at('hard.mp4')], /same file/],
    ['itself by another way', [video, '--out', join(folder, '.', 'folder.mp4', '..', 'in.mp4')], /same file/],
    ['the new video as its table', [video, ...out, '--boxes', at('out.mp4')], /same file as --out/],
    ['a folder as the new video', [video, '--out', at('folder.mp4')], /folder/],
    ['an option of another command', [video, ...out, '--colorize', 'x'], /m2fp video --help/],
  ];
  for (const [name, args, words] of wrong) {
    it(`refuses ${name}`, async () => {
      assert.match(await failure('M2FP_BAD_OPTION', 'video', ...args), words);
    });
  }

  it('tells how to install ffmpeg where there is none', async () => {
    const { code, out: printed, err } = await m2fp(['video', video, ...out], { PATH: at('nowhere') });
    assert.deepEqual([code, printed], [1, '']);
    assert.match(
      err,
      /^m2fp: M2FP_ENGINE_UNAVAILABLE: ffmpeg is not installed[^\n]*apt-get install ffmpeg[^\n]*\n$/,
    );
    assert.doesNotMatch(err, /Snapshots/);
    await failure('M2FP_ENGINE_UNAVAILABLE', 'video', video, ...out, '--ffmpeg', at('nowhere'));
  });

  it('leaves nothing behind then', () => {
    assert.deepEqual(readdirSync(folder).toSorted(), ['folder.mp4', 'hard.mp4', 'in.mp4', 'symbolic.mp4']);
  });
});
