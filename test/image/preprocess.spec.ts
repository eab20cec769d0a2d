import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { preprocess, preprocessRaw, targetSize } from '../../src/image/preprocess.ts';
import type { RawImage } from '../../src/image/types.ts';
import type { InputRule } from '../../src/m2fp/manifest.ts';
import { goldenCases, type GoldenCase } from '../support/golden.ts';
import { failure, JPEG, noiseImage, noisePng } from './support.ts';

const MULTI: InputRule = { kind: 'short-side', shortSide: 640, longSide: 1333 };
const SINGLE: InputRule = { kind: 'canvas', width: 384, height: 512, pad: 128 };

/** A uint8 tensor of a case: its shape and its bytes. */
function bytesOf(golden: GoldenCase, name: string): [number[], Uint8Array] {
  const { shape, data } = golden.tensor(name);
  assert.ok(data instanceof Uint8Array);
  return [shape, data];
}

function imageOf(golden: GoldenCase): RawImage {
  const [shape, data] = bytesOf(golden, 'image');
  return { width: shape[1]!, height: shape[0]!, channels: 3, data: Buffer.from(data) };
}

/** The multi case of the full size stores no `preprocessed`: the SHA-256 of what Pillow 12.3 makes of its picture. */
const FULL_SIZE = {
  name: 'pipe_96x128',
  digest: '4b8763e976baf79010f776833c9a1ed3482cb967ed62922c0af35dcf2c8c25ed',
};

describe('preprocessRaw against ModelScope', () => {
  for (const golden of goldenCases('multi', 'pipeline')) {
    it(`multi ${golden.name}`, async () => {
      const [shortSide, longSide] = golden.meta.min_max_size ?? [640, 1333];
      const input = await preprocessRaw(imageOf(golden), JPEG, { kind: 'short-side', shortSide, longSide });
      assert.deepEqual([input.height, input.width], golden.meta.network_input_hw);
      assert.deepEqual(input.crop, { x: 0, y: 0, width: input.width, height: input.height });
      if (golden.name === FULL_SIZE.name) {
        assert.equal(createHash('sha256').update(input.data).digest('hex'), FULL_SIZE.digest);
        return;
      }
      const [shape, data] = bytesOf(golden, 'preprocessed');
      assert.deepEqual(shape, [input.height, input.width, 3]);
      assert.ok(input.data.equals(data), 'pixels differ');
    });
  }

  for (const golden of goldenCases('single', 'pipeline')) {
    it(`single ${golden.name}`, async () => {
      const input = await preprocessRaw(imageOf(golden), JPEG, SINGLE);
      const [shape, data] = bytesOf(golden, 'preprocessed');
      assert.deepEqual([input.height, input.width, 3], shape);
      assert.ok(input.data.equals(data), 'pixels differ');
      const { x, y, width, height } = input.crop;
      assert.deepEqual([x, y, x + width, y + height], golden.meta.crop_box);
    });
  }
});

describe('targetSize', () => {
  // Computed by ModelScope's formulas in Python: source width and height, resized width and height.
  const SHORT_SIDE = [
    [640, 480, 853, 640],
    [480, 640, 640, 853],
    [640, 640, 640, 640],
    [128, 96, 853, 640],
    [1920, 1080, 1138, 640],
    [1080, 1920, 640, 1138],
    [4000, 3000, 853, 640],
    [1333, 640, 1333, 640],
    [1334, 640, 1333, 640],
    [2000, 640, 1333, 427],
    [3000, 100, 1333, 44],
    [100, 3000, 44, 1333],
    [1, 1, 640, 640],
    [97, 150, 640, 990],
    [123, 457, 359, 1333],
    [999, 481, 1329, 640],
  ] as const;
  for (const [width, height, newWidth, newHeight] of SHORT_SIDE) {
    it(`short side: ${width} x ${height} to ${newWidth} x ${newHeight}`, () => {
      assert.deepEqual(targetSize(MULTI, width, height), {
        width: newWidth,
        height: newHeight,
        crop: { x: 0, y: 0, width: newWidth, height: newHeight },
      });
    });
  }

  // Likewise; canvas width and height, source width and height, resized width and height, left and top margin.
  const CANVAS = [
    [384, 512, 384, 512, 384, 512, 0, 0],
    [384, 512, 100, 100, 100, 100, 142, 206],
    [384, 512, 768, 1024, 384, 512, 0, 0],
    [384, 512, 800, 599, 384, 287, 0, 112],
    [384, 512, 450, 600, 384, 512, 0, 0],
    [384, 512, 600, 450, 384, 288, 0, 112],
    [384, 512, 500, 300, 384, 230, 0, 141],
    [384, 512, 300, 600, 256, 512, 64, 0],
    [384, 512, 1000, 1000, 384, 384, 0, 64],
    [384, 512, 2000, 700, 384, 134, 0, 189],
    [384, 512, 700, 2000, 179, 512, 102, 0],
    [384, 512, 1920, 1080, 384, 216, 0, 148],
    [384, 512, 384, 2000, 98, 512, 143, 0],
    [384, 512, 2000, 512, 384, 98, 0, 207],
    [384, 512, 385, 512, 384, 510, 0, 1],
    [512, 384, 600, 500, 460, 384, 26, 0],
    [512, 384, 900, 600, 512, 341, 0, 21],
    [512, 384, 600, 900, 256, 384, 128, 0],
    [512, 384, 1000, 700, 512, 358, 0, 13],
  ] as const;
  for (const [canvasWidth, canvasHeight, width, height, newWidth, newHeight, x, y] of CANVAS) {
    it(`canvas ${canvasWidth} x ${canvasHeight}: ${width} x ${height} to ${newWidth} x ${newHeight}`, () => {
      const rule = { kind: 'canvas', width: canvasWidth, height: canvasHeight, pad: 128 } as const;
      assert.deepEqual(targetSize(rule, width, height), {
        width: canvasWidth,
        height: canvasHeight,
        crop: { x, y, width: newWidth, height: newHeight },
      });
    });
  }

  // One column, one row or both are missing, yet the margins at left and top are 0: no padding at all.
  for (const [width, height, newWidth, newHeight] of [
    [599, 800, 383, 512],
    [767, 1025, 383, 512],
    [383, 511, 383, 511],
  ] as const) {
    it(`canvas: ${width} x ${height} stays at ${newWidth} x ${newHeight}, unpadded`, () => {
      assert.deepEqual(targetSize(SINGLE, width, height), {
        width: newWidth,
        height: newHeight,
        crop: { x: 0, y: 0, width: newWidth, height: newHeight },
      });
    });
  }

  it('leaves no side without pixels', () => {
    assert.deepEqual(targetSize(MULTI, 1, 5000).crop, { x: 0, y: 0, width: 1, height: 1333 });
    assert.deepEqual(targetSize(MULTI, 5000, 1).crop, { x: 0, y: 0, width: 1333, height: 1 });
    assert.deepEqual(targetSize(SINGLE, 1, 5000), {
      width: 384,
      height: 512,
      crop: { x: 191, y: 0, width: 1, height: 512 },
    });
    assert.deepEqual(targetSize(SINGLE, 5000, 1).crop, { x: 0, y: 255, width: 384, height: 1 });
  });

  const bad: InputRule[] = [
    { ...MULTI, kind: 'short-side', shortSide: 0, longSide: 1333 },
    { kind: 'short-side', shortSide: 640, longSide: NaN },
    { kind: 'short-side', shortSide: 1e6, longSide: 1e6 },
    { kind: 'short-side', shortSide: 4097, longSide: 8192 },
    { kind: 'canvas', width: 384.5, height: 512, pad: 128 },
    { kind: 'canvas', width: 384, height: -1, pad: 128 },
    { kind: 'canvas', width: 384, height: 512, pad: 256 },
  ];
  for (const rule of bad) {
    it(`refuses a rule whose numbers make no sense: ${inspect(rule, { breakLength: Infinity })}`, () => {
      assert.throws(() => targetSize(rule, 10, 10), failure('M2FP_BAD_OPTION', /whole number from/));
    });
  }
});

describe('preprocess', () => {
  it('decodes, resizes and says how long each took', async () => {
    const image = noisePng(20, 10);
    const { input, timing } = await preprocess(image, { kind: 'short-side', shortSide: 5, longSide: 50 });
    assert.deepEqual(
      { ...input, data: input.data.length },
      {
        type: 'm2fp-input',
        width: 10,
        height: 5,
        data: 150,
        crop: { x: 0, y: 0, width: 10, height: 5 },
        rule: { kind: 'short-side', shortSide: 5, longSide: 50 },
        source: { image, width: 20, height: 10 },
      },
    );
    assert.equal(input.source.image, image);
    assert.ok(timing.decode >= 0 && timing.preprocess >= 0);
  });

  it('makes plain data and Buffers only', async () => {
    const { input } = await preprocess(noisePng(20, 10), SINGLE);
    const { data, source, ...rest } = input;
    assert.ok(Buffer.isBuffer(data) && Buffer.isBuffer(source.image));
    assert.deepEqual(JSON.parse(JSON.stringify(rest)), rest);
  });

  it('pads with the grey of the rule', async () => {
    const { input } = await preprocess(noisePng(2, 2), { kind: 'canvas', width: 4, height: 4, pad: 7 });
    const { data } = noiseImage(2, 2);
    const edge = Buffer.alloc(12, 7);
    const side = Buffer.alloc(3, 7);
    const row = (y: number): Buffer => Buffer.concat([side, data.subarray(y * 6, y * 6 + 6), side]);
    assert.deepEqual(input.data, Buffer.concat([edge, row(0), row(1), edge]));
  });

  it('gives 1 x 5000 pixels an input', async () => {
    const image = noisePng(1, 5000);
    assert.equal((await preprocess(image, MULTI)).input.data.length, 1333 * 3);
    assert.equal((await preprocess(image, SINGLE)).input.data.length, 384 * 512 * 3);
  });

  it('keeps to the limits that it is given', async () => {
    const limits = { maxBytes: 1e6, maxPixels: 100 };
    await assert.rejects(preprocess(noisePng(11, 10), MULTI, limits), failure('M2FP_IMAGE_TOO_LARGE'));
    await preprocess(noisePng(10, 10), MULTI, limits);
  });

  it('refuses pixels that are not RGB or not as many as said', async () => {
    const image = noiseImage(4, 3);
    await assert.rejects(
      preprocessRaw({ ...image, channels: 4 }, JPEG, MULTI),
      failure('M2FP_BAD_IMAGE', /4 channels/),
    );
    await assert.rejects(preprocessRaw({ ...image, width: 5 }, JPEG, MULTI), failure('M2FP_BAD_IMAGE'));
  });
});
