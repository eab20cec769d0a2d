import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { resizeBilinear } from '../../src/image/resize.ts';
import { noise, noiseImage } from './support.ts';

/**
 * What Pillow 12.3's `Image.resize((width, height), Image.BILINEAR)` makes of `noiseImage`: source width and height,
 * result width and height, the first 16 digits of its SHA-256. The golden cases hold more (preprocess.spec.ts).
 */
const PILLOW: [number, number, number, number, string][] = [
  [1, 1, 7, 5, 'b18e3badfb677fef'],
  [1, 50, 13, 1, 'd53b42d5ac492a0a'],
  [50, 1, 1, 13, 'b7bdb1f21d85e56a'],
  [3, 2, 640, 427, '769d313112af4920'],
  [7, 9, 7, 4, 'c2a8063953971954'],
  [7, 9, 3, 9, 'a69a4cdbb8b77ff0'],
  [64, 48, 64, 48, '3f9238db67eca81a'],
  [101, 77, 100, 78, '9c87dd95bae99533'],
  [100, 75, 640, 480, 'cf7913db1277cdd5'],
  [333, 257, 17, 5, '98a60ba490ee221b'],
  [1000, 700, 384, 268, '1e735c40c2e7ba98'],
  [257, 1, 1, 1, '8cdb40a5dda46ec8'],
  [2, 400, 1, 3, '0379b094d63c9519'],
];

/** Four channels without one of them. */
const without = (channel: number, data: Buffer): Buffer =>
  Buffer.from(data.filter((_, i) => i % 4 !== channel));

describe('resizeBilinear', () => {
  for (const [width, height, newWidth, newHeight, digest] of PILLOW) {
    it(`makes of ${width} x ${height} the ${newWidth} x ${newHeight} that Pillow makes`, async () => {
      const { data, ...size } = await resizeBilinear(noiseImage(width, height), newWidth, newHeight);
      assert.deepEqual(size, { width: newWidth, height: newHeight, channels: 3 });
      assert.equal(data.length, newWidth * newHeight * 3);
      assert.equal(createHash('sha256').update(data).digest('hex').slice(0, 16), digest);
    });
  }

  it('gives a picture of the same size back as it is', async () => {
    const image = noiseImage(9, 4);
    assert.equal(await resizeBilinear(image, 9, 4), image);
  });

  it('leaves the source alone', async () => {
    const image = noiseImage(40, 30);
    const before = Buffer.from(image.data);
    await resizeBilinear(image, 11, 90);
    assert.deepEqual(image.data, before);
  });

  it('keeps a white picture white', async () => {
    const white = { width: 999, height: 31, channels: 3, data: Buffer.alloc(999 * 31 * 3, 255) } as const;
    const { data } = await resizeBilinear(white, 100, 57);
    assert.deepEqual(data, Buffer.alloc(100 * 57 * 3, 255));
  });

  it('resizes each of four channels as if it were alone', async () => {
    const rgba = { width: 23, height: 17, channels: 4, data: noise(23 * 17 * 4, 1) } as const;
    const all = await resizeBilinear(rgba, 40, 9);
    for (const channel of [0, 3]) {
      const rgb = { width: 23, height: 17, channels: 3, data: without(channel, rgba.data) } as const;
      assert.deepEqual(without(channel, all.data), (await resizeBilinear(rgb, 40, 9)).data);
    }
  });

  it('lets the event loop turn while it works on 24 million pixels', async () => {
    const image = { width: 6000, height: 4000, channels: 3, data: Buffer.alloc(72_000_000) } as const;
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns++;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    await resizeBilinear(image, 960, 640);
    running = false;
    // 4000 rows x 960 pixels x 3 channels x 12.5 samples: a slice may hold at most a hundredth of that.
    assert.ok(turns >= 100, `${turns} turns`);
  });
});
