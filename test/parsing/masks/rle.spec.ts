import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { M2fpError } from '../../../src/errors.ts';
import {
  decodeRle,
  encodeRle,
  rleArea,
  rleBox,
  rleToRuns,
  runsToRle,
} from '../../../src/parsing/masks/rle.ts';
import type { Rle } from '../../../src/parsing/types.ts';

function mask(width: number, height: number, isSet: (x: number, y: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, i) =>
    isSet(i % width, Math.floor(i / width)) ? 1 : 0,
  );
}

/** What pycocotools 2.0.11 gives: encode()['counts'], area(), toBbox() as x, y, width, height. */
const COCO: {
  name: string;
  width: number;
  height: number;
  isSet: (x: number, y: number) => boolean;
  counts: string;
  area: number;
  box: [number, number, number, number];
}[] = [
  { name: 'nothing', width: 4, height: 3, isSet: () => false, counts: '<', area: 0, box: [0, 0, 0, 0] },
  { name: 'all', width: 4, height: 3, isSet: () => true, counts: '0<', area: 12, box: [0, 0, 4, 3] },
  {
    name: 'one pixel',
    width: 4,
    height: 3,
    isSet: (x, y) => x === 2 && y === 1,
    counts: '714',
    area: 1,
    box: [2, 1, 1, 1],
  },
  {
    name: 'the first pixel',
    width: 4,
    height: 3,
    isSet: (x, y) => x === 0 && y === 0,
    counts: '01;',
    area: 1,
    box: [0, 0, 1, 1],
  },
  {
    name: 'the last pixel',
    width: 4,
    height: 3,
    isSet: (x, y) => x === 3 && y === 2,
    counts: ';1',
    area: 1,
    box: [3, 2, 1, 1],
  },
  {
    name: 'a chequerboard',
    width: 8,
    height: 8,
    isSet: (x, y) => (x + y) % 2 === 1,
    counts: '111000010O000010O000010O000010O000010O000010O000010O00000',
    area: 32,
    box: [0, 0, 8, 8],
  },
  {
    name: 'a disc',
    width: 160,
    height: 120,
    isSet: (x, y) => (x - 70) ** 2 + (y - 50) ** 2 < 35 ** 2,
    counts:
      'ZX4a0T36J6K4L4M2N2M4M2N2N2N2N2O0O2N2N2O0O2O0O2O000O2O000O2O00000000000000000000000000000001N10001N10001N101N101N2N2N101N2N2N2N2N3L3N2N3L4L5J6JQ]6',
    area: 3841,
    box: [36, 16, 69, 69],
  },
  {
    name: 'runs over several columns and large differences of both signs',
    width: 2000,
    height: 1000,
    isSet: (x, y) => (x === 300 && y >= 100 && y < 900) || (x >= 700 && x < 1500) || (x === 1999 && y === 5),
    counts: 'TRU9Pi0lgU<P_\\h0QbQ3QhbWOUei@',
    area: 800801,
    box: [300, 0, 1700, 1000],
  },
];

describe('COCO run-length encoding', () => {
  for (const { name, width, height, isSet, counts, area, box } of COCO) {
    it(`equals pycocotools for ${name}`, () => {
      const pixels = mask(width, height, isSet);
      const rle = encodeRle(pixels, width, height);
      assert.deepEqual(rle, { size: [height, width], counts });
      assert.deepEqual(decodeRle(rle), pixels);
      assert.equal(rleArea(rle), area);
      assert.deepEqual(Object.values(rleBox(rle)), box);
    });
  }

  it('decodes what it encoded', () => {
    const images = fc
      .tuple(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 30 }),
      )
      .chain(([width, height, rarity]) =>
        fc.tuple(
          fc.constant(width),
          fc.constant(height),
          fc.array(
            fc.integer({ min: 0, max: rarity }).map((n) => (n === 0 ? 1 : 0)),
            { minLength: width * height, maxLength: width * height },
          ),
        ),
      );
    fc.assert(
      fc.property(images, ([width, height, bits]) => {
        const pixels = Uint8Array.from(bits);
        const rle = encodeRle(pixels, width, height);
        assert.deepEqual(decodeRle(rle), pixels);
        assert.deepEqual(runsToRle(rleToRuns(rle), width, height), rle);
        assert.equal(
          rleArea(rle),
          pixels.reduce((sum, bit) => sum + bit, 0),
        );
        const set = [...pixels.keys()].filter((i) => pixels[i] === 1);
        const xs = set.map((i) => i % width);
        const ys = set.map((i) => Math.floor(i / width));
        const [left, top] = [Math.min(...xs), Math.min(...ys)];
        const expected =
          set.length === 0
            ? { x: 0, y: 0, width: 0, height: 0 }
            : { x: left, y: top, width: Math.max(...xs) - left + 1, height: Math.max(...ys) - top + 1 };
        assert.deepEqual(rleBox(rle), expected);
      }),
    );
  });

  it('takes every byte but 0 as set', () => {
    assert.deepEqual(
      encodeRle(Uint8Array.of(0, 255, 7, 0), 2, 2),
      encodeRle(Uint8Array.of(0, 1, 1, 0), 2, 2),
    );
  });

  it('joins runs around a run of length 0', () => {
    // Lengths 1, 1, 0, 1, 1.
    assert.deepEqual(decodeRle({ size: [2, 2], counts: '11001' }), Uint8Array.of(0, 1, 1, 0));
    assert.deepEqual([...rleToRuns({ size: [2, 2], counts: '11001' })], [1, 3]);
  });

  it('refuses a mask of another size', () => {
    assert.throws(() => encodeRle(new Uint8Array(11), 4, 3), RangeError);
  });
});

describe('damaged run-length encoding', () => {
  const cases: [string, unknown, RegExp][] = [
    ['nothing at all', undefined, /`size`/],
    ['no size', { counts: '<' }, /`size`/],
    ['a size of one number', { size: [3], counts: '<' }, /`size`/],
    ['a size of 0', { size: [0, 4], counts: '' }, /`size`/],
    ['a negative size', { size: [-3, -4], counts: '<' }, /`size`/],
    ['a fraction as size', { size: [1.5, 8], counts: '<' }, /`size`/],
    ['text as size', { size: ['3', '4'], counts: '<' }, /`size`/],
    ['a size beyond every picture', { size: [1e9, 1e9], counts: '<' }, /more than any picture/],
    ['uncompressed counts', { size: [3, 4], counts: [12] }, /must be a string/],
    ['no counts', { size: [3, 4], counts: '' }, /describes 0 of 4 x 3/],
    ['too few pixels', { size: [3, 4], counts: '5' }, /describes 5 of 4 x 3/],
    ['too many pixels', { size: [3, 4], counts: '0=' }, /goes beyond 4 x 3/],
    ['a number that is cut off', { size: [3, 4], counts: '<P' }, /cut off/],
    ['a character below the alphabet', { size: [3, 4], counts: '/' }, /foreign character at 0/],
    ['a character above the alphabet', { size: [3, 4], counts: '5p' }, /foreign character at 1/],
    ['a character beyond bytes', { size: [3, 4], counts: '5\u{1f600}' }, /foreign character at 1/],
    ['a negative length', { size: [3, 4], counts: 'O' }, /negative length/],
    ['a length below its predecessor but one', { size: [3, 4], counts: '111N' }, /negative length/],
    ['an endless number', { size: [3, 4], counts: 'o'.repeat(5000) }, /too large/],
  ];
  for (const [name, rle, message] of cases) {
    it(`is refused: ${name}`, () => {
      assert.throws(
        () => decodeRle(rle as Rle),
        (error) =>
          error instanceof M2fpError && error.code === 'M2FP_NO_PARSING' && message.test(error.message),
      );
    });
  }

  it('never does anything but decode or say so', () => {
    const text = fc.string({
      unit: fc.integer({ min: 40, max: 120 }).map((code) => String.fromCharCode(code)),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 50 }),
        text,
        (width, height, counts) => {
          try {
            assert.equal(decodeRle({ size: [height, width], counts }).length, width * height);
          } catch (error) {
            assert.ok(error instanceof M2fpError && error.code === 'M2FP_NO_PARSING', String(error));
          }
        },
      ),
    );
  });
});
