/** What a new video can hold, by its name and by what ffmpeg there is. */
import assert from 'node:assert/strict';
import { audioFor, containerOf, encoderFor, subtitlesFor } from '../../../src/export/video/container.ts';
import {
  decodeArguments,
  encodeArguments,
  type Encoding,
} from '../../../src/export/video/ffmpeg-arguments.ts';
import type { VideoFacts } from '../../../src/export/video/probe.ts';

const FFMPEG = { path: 'ffmpeg', version: '7.1', major: 7 };
const stream = (codec: string, index = 1) => ({ index, codec, language: null, preSkip: 0 });
const facts: VideoFacts = {
  timeBase: { num: 1, den: 90_000 },
  rate: { num: 30, den: 1 },
  frames: 10,
  hasAlpha: false,
  mayBeInterlaced: false,
  color: { space: 'bt709', primaries: 'bt709', transfer: 'smpte2084' },
  audio: [],
  subtitles: [],
  hasChapters: false,
};

function encoding(more: Partial<Encoding> = {}): Encoding {
  const container = containerOf('a.mp4');
  return {
    source: 'in.mov',
    facts,
    format: { width: 640, height: 360, timeBase: facts.timeBase, pixelAspect: null },
    start: 9000,
    container,
    encoder: container.encoders[0]!,
    audio: [],
    subtitles: [],
    keepsMetadata: false,
    major: 7,
    ...more,
  };
}

/** What follows `name`. */
const after = (args: readonly string[], name: string): string | undefined => args[args.indexOf(name) + 1];

describe('the container of a video', () => {
  for (const [file, codec, encoder] of [
    ['a.mp4', 'aac', 'copy'],
    ['a.MP4', 'opus', 'copy'],
    ['a.mp4', 'pcm_s16le', 'aac'],
    ['a.mp4', 'flac', 'aac'],
    ['a.mov', 'pcm_s16le', 'copy'],
    ['a.mkv', 'flac', 'copy'],
    ['a.webm', 'opus', 'copy'],
    ['a.webm', 'aac', 'libopus'],
  ] as const) {
    it(`makes ${encoder} of ${codec} in ${file}`, () => {
      const { copied, left } = audioFor(containerOf(file), [stream(codec)], new Set(['aac', 'libopus']));
      assert.deepEqual([copied.map((one) => one.encoder), left], [[encoder], []]);
    });
  }

  it('leaves out what it cannot hold in any form', () => {
    const { copied, left } = subtitlesFor(containerOf('a.mp4'), [
      stream('subrip', 2),
      stream('hdmv_pgs_subtitle', 3),
      stream('mov_text', 4),
    ]);
    assert.deepEqual(copied.map((one) => [one.index, one.encoder]), [[2, 'mov_text'], [4, 'copy']]); // prettier-ignore
    assert.deepEqual(left.map(({ index }) => index), [3]); // prettier-ignore
    assert.equal(audioFor(containerOf('a.webm'), [stream('aac')], new Set(['aac'])).left.length, 1);
  });

  for (const file of ['a.avi', 'a.gif', 'a', 'mp4']) {
    it(`is refused for ${file}`, () =>
      assert.throws(() => containerOf(file), {
        code: 'M2FP_BAD_OPTION',
        message: /\.mp4, \.m4v, \.mov, \.mkv, \.webm/,
      }));
  }

  it('takes the best encoder that there is, or says what is missing', () => {
    const choose = (...names: string[]): string =>
      encoderFor(containerOf('a.mp4'), FFMPEG, new Set(names)).name;
    assert.equal(choose('mpeg4', 'libx264'), 'libx264');
    assert.equal(choose('mpeg4', 'libopenh264'), 'libopenh264');
    assert.equal(choose('mpeg4'), 'mpeg4');
    assert.throws(() => choose('png'), {
      code: 'M2FP_ENGINE_UNAVAILABLE',
      message: /libx264, libopenh264, mpeg4.*\.webm/,
    });
  });
});

describe('what ffmpeg is told', () => {
  it('has no option that its version does not know', () => {
    for (const [major, known, unknown] of [
      [4, '-vsync', '-fps_mode'],
      [5, '-vsync', '-fps_mode'],
      [8, '-fps_mode', '-vsync'],
      [undefined, '-fps_mode', '-vsync'],
    ] as const) {
      // prettier-ignore
      for (const args of [decodeArguments('a.mov', facts, major), encodeArguments('b.mp4', encoding({ major }))]) {
        assert.ok(args.includes(known) && !args.includes(unknown), `${major}`);
      }
    }
  });

  it('names a file that looks like an option or an address as a file', () => {
    assert.equal(after(decodeArguments('-y', facts, 7), '-i'), 'file:-y');
    assert.equal(encodeArguments('http://a.mp4', encoding()).at(-1), 'file:http://a.mp4');
  });

  it('begins when the video does, in its own ticks', () => {
    const args = encodeArguments('b.mp4', encoding());
    assert.equal(after(args, '-itsoffset'), '0.100000');
    assert.equal(after(args, '-enc_time_base'), '1:90000');
    const mpeg4 = containerOf('b.mp4').encoders.find(({ name }) => name === 'mpeg4')!;
    assert.equal(after(encodeArguments('b.mp4', encoding({ encoder: mpeg4 })), '-enc_time_base'), '1:60000');
  });

  it('keeps the colours of the source, and names none that it does not', () => {
    const args = encodeArguments('b.mp4', encoding());
    assert.match(after(args, '-vf')!, /out_color_matrix=bt709/);
    assert.deepEqual(
      ['-colorspace', '-color_primaries', '-color_trc'].map((name) => after(args, name)),
      ['bt709', 'bt709', 'smpte2084'],
    );
    const color = { space: null, primaries: 'strange', transfer: null };
    const plain = encodeArguments('b.mp4', encoding({ facts: { ...facts, color } }));
    assert.ok(!plain.some((arg) => /^-color(space|_primaries|_trc)$/.test(arg)));
    assert.doesNotMatch(after(plain, '-vf')!, /matrix/);
  });

  it('makes odd sides even where the encoder wants that', () => {
    const format = { ...encoding().format, width: 321, height: 201 };
    assert.match(
      after(encodeArguments('b.mp4', encoding({ format })), '-vf')!,
      /pad=322:202,fillborders=right=1:bottom=1:mode=smear/,
    );
    const encoder = containerOf('b.webm').encoders[0]!;
    assert.doesNotMatch(after(encodeArguments('b.webm', encoding({ format, encoder })), '-vf')!, /pad/);
  });
});
