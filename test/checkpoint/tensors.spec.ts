import assert from 'node:assert/strict';
import { checkedLayout, readFloat32, storageBytes, type DType } from '../../src/checkpoint/tensors.ts';
import { CheckpointFile } from '../../src/checkpoint/file.ts';
import { float32 } from '../support/pickle-writer.ts';
import { scratchFolder } from './support/files.ts';

function layout(elements: number, offset: unknown, shape: unknown, strides: unknown) {
  return checkedLayout(
    { key: '0', dtype: 'float32', elements },
    offset,
    shape,
    strides,
    (reason) => new Error(reason),
  );
}

describe('checkedLayout', () => {
  it('counts the elements and the span that they lie in', () => {
    assert.deepEqual(layout(24, 0, [2, 3, 4], [12, 4, 1]).span, 24);
    assert.deepEqual(layout(24, 5, [2, 2], [12, 4]), {
      offset: 5,
      shape: [2, 2],
      strides: [12, 4],
      elements: 4,
      span: 17,
    });
    assert.deepEqual(layout(1, 0, [], []), { offset: 0, shape: [], strides: [], elements: 1, span: 1 });
    assert.equal(layout(0, 0, [0, 3], [3, 1]).span, 0);
    assert.equal(layout(4, 4, [0], [1]).elements, 0);
    assert.equal(layout(1, 0, [3, 1], [0, 99]).span, 1);
  });

  const odd: [
    title: string,
    elements: number,
    offset: unknown,
    shape: unknown,
    strides: unknown,
    reason: RegExp,
  ][] = [
    [
      'one element too many',
      23,
      0,
      [2, 3, 4],
      [12, 4, 1],
      /reaches to element 24 of storage 0, which has 23/,
    ],
    ['an offset that pushes it out', 24, 1, [2, 3, 4], [12, 4, 1], /reaches to element 25/],
    ['a stride that leads out', 24, 0, [2], [24], /reaches to element 25/],
    ['no room for a scalar', 0, 0, [], [], /reaches to element 1/],
    ['an empty view behind the end', 4, 5, [0], [1], /reaches to element 5/],
    ['a negative offset', 4, -1, [2], [1], /storage offset/],
    ['a fractional offset', 4, 0.5, [2], [1], /storage offset/],
    ['a huge offset', 4, 2n ** 64n, [2], [1], /storage offset/],
    ['an offset beyond the exact integers', 2 ** 54, 2 ** 53, [2], [1], /storage offset/],
    ['a text as offset', 4, '0', [2], [1], /storage offset/],
    ['a negative size', 4, 0, [-2, -2], [1, 1], /a size that/],
    ['a size that is no number', 4, 0, [NaN], [1], /a size that/],
    ['a huge size', 4, 0, [2n ** 64n], [1], /a size that/],
    ['a negative stride', 4, 3, [4], [-1], /a stride that/],
    ['no shape', 4, 0, null, [1], /no tuple/],
    ['no strides', 4, 0, [4], 4, /no tuple/],
    ['fewer strides than axes', 4, 0, [2, 2], [1], /2 axes but 1 strides/],
    ['65 axes', 4, 0, Array(65).fill(1), Array(65).fill(1), /65 axes/],
    ['a product past 2^53', 4, 0, [2 ** 40, 2 ** 40], [0, 0], /expands the 4 elements of storage 0 to/],
    ['a product past the doubles', 4, 0, Array(64).fill(2 ** 52), Array(64).fill(0), /to Infinity/],
    ['a reach past 2^53', 2 ** 53 - 1, 0, [2 ** 52, 2], [2 ** 52, 1], /reaches to element/],
    ['an expanded view of 64 MiB and more', 1, 0, [2 ** 24 + 1], [0], /expands/],
    ['more elements than one array should have', 2 ** 40, 0, [2 ** 28 + 1], [1], /more than the 268435456/],
    ['few elements that lie far apart', 2 ** 40, 0, [2], [2 ** 28], /over a span of 268435457/],
  ];
  for (const [title, elements, offset, shape, strides, reason] of odd) {
    it(`refuses ${title}`, () =>
      assert.throws(() => layout(elements, offset, shape, strides), { message: reason }));
  }

  it('takes views up to the limits', () => {
    assert.equal(layout(2 ** 28, 0, [2 ** 28], [1]).elements, 2 ** 28);
    assert.equal(layout(1, 0, [2 ** 24], [0]).elements, 2 ** 24);
  });
});

describe('storageBytes', () => {
  const widths: [DType, number][] = [
    ['float32', 4],
    ['float16', 2],
    ['bfloat16', 2],
    ['float64', 8],
    ['int64', 8],
    ['int32', 4],
    ['int16', 2],
    ['int8', 1],
    ['uint8', 1],
    ['bool', 1],
  ];
  for (const [dtype, width] of widths) {
    it(`knows the width of ${dtype}`, () => {
      assert.equal(storageBytes({ key: '0', dtype, elements: 3 }), 3 * width);
    });
  }
});

describe('readFloat32', () => {
  const scratch = scratchFolder();

  /** The values of a view on the numbers 0 to 11, which lie 3 bytes into the file. */
  async function view(offset: number, shape: number[], strides: number[]): Promise<number[]> {
    const numbers = float32(...Array.from({ length: 12 }, (_, i) => i));
    const file = await CheckpointFile.open(scratch.write(Buffer.concat([Buffer.from('abc'), numbers])));
    const values = await readFloat32(file, 3, 'float32', layout(12, offset, shape, strides));
    await file.close();
    return [...values];
  }

  it('reads rows, columns, steps, repeats and nothing', async () => {
    assert.deepEqual(await view(0, [3, 4], [4, 1]), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert.deepEqual(await view(4, [4], [1]), [4, 5, 6, 7]);
    assert.deepEqual(await view(0, [4, 3], [1, 4]), [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    assert.deepEqual(await view(1, [2, 2], [8, 2]), [1, 3, 9, 11]);
    assert.deepEqual(await view(11, [2, 2], [0, 0]), [11, 11, 11, 11]);
    assert.deepEqual(await view(10, [1, 2], [99, 1]), [10, 11]);
    assert.deepEqual(await view(7, [], []), [7]);
    assert.deepEqual(await view(12, [2, 0], [1, 1]), []);
  });

  it('agrees with the float16 and bfloat16 of every bit pattern', async () => {
    const patterns = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const file = await CheckpointFile.open(scratch.write(new Uint8Array(patterns.buffer)));
    const whole = layout(65_536, 0, [65_536], [1]);
    const halves = await readFloat32(file, 0, 'float16', whole);
    const brains = await readFloat32(file, 0, 'bfloat16', whole);
    await file.close();

    const upper = new DataView(new ArrayBuffer(4));
    for (const bits of patterns) {
      upper.setUint16(0, bits);
      assert.ok(Object.is(brains[bits], upper.getFloat32(0)), `bfloat16 ${bits}`);
      assert.ok(Object.is(halves[bits], halfByDefinition(bits)), `float16 ${bits}`);
    }
  });
});

/** IEEE 754 binary16 through the bits of a float64, whose fields are wider by 6 and 42 bits. */
function halfByDefinition(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = BigInt(bits & 1023);
  const view = new DataView(new ArrayBuffer(8));
  const sign = BigInt(bits >> 15) << 63n;
  if (exponent === 0) {
    // A subnormal is the normal of the lowest exponent without that one's leading 1.
    const lowest = BigInt(1 - 15 + 1023) << 52n;
    view.setBigUint64(0, lowest | (fraction << 42n));
    const magnitude = view.getFloat64(0) - 2 ** -14;
    return sign === 0n ? magnitude : -magnitude;
  }
  const widened = exponent === 31 ? 2047 : exponent - 15 + 1023;
  view.setBigUint64(0, sign | (BigInt(widened) << 52n) | (fraction << 42n));
  return view.getFloat64(0);
}
