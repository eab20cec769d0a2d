/** Frames of a video on their way between two ffmpegs: their times, their sizes, and which of them are parsed. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FrameLines, type FrameLine } from '../../../src/export/video/frame-lines.ts';
import { matroskaFrameHead, matroskaHead } from '../../../src/export/video/matroska.ts';
import { readRatio, toNanoseconds } from '../../../src/export/video/ratio.ts';
import { type Stretch, stretchesOf } from '../../../src/export/video/stretches.ts';
import { plainWords, videoError } from '../../../src/export/video/video-error.ts';

const HEAD = `#software: Lavf59.27.100
#tb 0: 1/90000
#media_type 0: video
#codec_id 0: rawvideo
#dimensions 0: 240x320
#sar 0: 4/3
`;

describe("what ffmpeg tells of a video's frames", () => {
  it('is read whatever pieces it comes in, its own words apart', () => {
    const text = `${HEAD}0,      36000,      36000,     3024,   230400, 0x0beb1f4e
[h264 @ 0x5565bd69aac0] error while decoding MB 3 4
0,      39003,      39003,     3024,   230400, 0x972885ad
0,      NOPTS,      NOPTS,        0,   115200, 0x00000000
`;
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const lines: FrameLine[] = [];
        const reader = new FrameLines((line) => lines.push(line));
        const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        for (const [i, from] of edges.entries()) reader.push(text.slice(from, edges[i + 1] ?? text.length));
        assert.deepEqual(lines, [
          { ticks: 36000, bytes: 230400 },
          { ticks: 39003, bytes: 230400 },
          { ticks: null, bytes: 115200 },
        ]);
        assert.deepEqual(reader.format, {
          width: 240,
          height: 320,
          timeBase: { num: 1, den: 90000 },
          pixelAspect: { num: 4, den: 3 },
        });
        assert.equal(plainWords(reader.words), 'error while decoding MB 3 4');
      }),
    );
  });

  it('is not known before its head is whole', () => {
    const reader = new FrameLines(() => assert.fail('there is no frame'));
    reader.push(HEAD.slice(0, HEAD.indexOf('#dimensions') + 20));
    assert.equal(reader.format, undefined);
  });

  it('has square pixels where it says nothing else', () => {
    const reader = new FrameLines(() => {});
    reader.push(HEAD.replace('4/3', '1/1'));
    assert.equal(reader.format!.pixelAspect, null);
  });

  for (const [words, code] of [
    ['[mp4 @ 0x1] No space left on device', 'M2FP_NOT_KEPT'],
    ['file:/x/y.mp4: Permission denied', 'M2FP_NOT_KEPT'],
    ['moov atom not found', 'M2FP_UNSUPPORTED_FORMAT'],
    ['something new', 'M2FP_BAD_IMAGE'],
  ] as const) {
    it(`is an error of ${code} for "${words}"`, () => {
      const error = videoError('a.mp4 cannot be read', words, 'M2FP_BAD_IMAGE');
      assert.equal(error.code, code);
      assert.ok(error.message.startsWith('a.mp4 cannot be read'));
      assert.ok(!error.message.includes('0x1'));
    });
  }
});

describe('times of frames', () => {
  it('become nanoseconds and the same ticks again', () => {
    const bases = fc.constantFrom<[number, number][]>(
      [1, 90_000],
      [1001, 30_000],
      [1, 15_360],
      [1, 1000],
      [1, 1_000_000],
    );
    fc.assert(
      fc.property(bases, fc.nat(2 ** 31 - 1), ([num, den], ticks) => {
        const nanoseconds = toNanoseconds(ticks, { num, den });
        assert.equal(Math.round((Number(nanoseconds) * den) / (1e9 * num)), ticks);
      }),
    );
  });

  for (const text of ['0/0', '25', '25/0', '-1/25', undefined, 3]) {
    it(`have no rate of ${text}`, () => assert.equal(readRatio(text), null));
  }

  it('stand in a cluster of each frame, as long as it says', () => {
    const length = 640 * 360 * 3;
    const head = matroskaFrameHead(1_234_567_890n, length);
    assert.equal(head.subarray(0, 4).toString('hex'), '1f43b675');
    assert.equal(head.readBigUInt64BE(4) & (2n ** 56n - 1n), BigInt(head.length - 12 + length));
    assert.equal(head.readBigUInt64BE(12 + 1 + 8), 1_234_567_890n);
    const start = matroskaHead({ width: 640, height: 360 }, { num: 25, den: 1 });
    assert.ok(start.includes('V_UNCOMPRESSED') && start.includes('matroska'));
  });
});

describe('stretches of a video', () => {
  const all = async (count: number, every: number): Promise<Stretch<number>[]> => {
    const stretches: Stretch<number>[] = [];
    async function* frames(): AsyncGenerator<number, void> {
      for (let i = 0; i < count; i++) yield await Promise.resolve(i);
    }
    for await (const stretch of stretchesOf(frames(), every)) stretches.push(stretch);
    return stretches;
  };

  it('hold every frame once, in order, with parsed ones at both ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(40), fc.integer({ min: 1, max: 12 }), async (count, every) => {
        const stretches = await all(count, every);
        const frames = stretches.flatMap(({ first, others }) => [first, ...others]);
        assert.deepEqual(frames, [...Array(count).keys()]);
        for (const { others } of stretches) assert.ok(others.length < every);
        const firsts = stretches.map(({ first }) => first);
        for (const [i, first] of firsts.slice(0, -1).entries()) assert.equal(first, i * every);
        assert.equal(firsts.at(-1), count === 0 ? undefined : count - 1);
      }),
    );
  });
});
