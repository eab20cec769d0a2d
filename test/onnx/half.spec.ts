import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toHalfBits, toHalfBytes } from '../../src/onnx/half.ts';

/** The value of a half, by its definition. */
function value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

describe('halves', () => {
  it('come back from their own value, every one of them', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const number = value(bits);
      if (!Number.isNaN(number)) assert.equal(toHalfBits(number), bits, `bits ${bits.toString(16)}`);
    }
    assert.ok(Number.isNaN(value(toHalfBits(NaN))));
  });

  it('are the nearest to any float, ties to even', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65519, max: 65519 }), (number) => {
        const bits = toHalfBits(number);
        const error = Math.abs(value(bits) - number);
        for (const other of [bits - 1, bits + 1]) {
          if ((other & 0x7fff) > 0x7bff || other < 0) continue;
          const distance = Math.abs(value(other) - number);
          assert.ok(error < distance || (error === distance && (bits & 1) === 0));
        }
      }),
    );
  });

  it('become infinite where a half ends', () => {
    assert.equal(toHalfBits(65519.99), 0x7bff);
    assert.equal(toHalfBits(65520), 0x7c00);
    assert.equal(toHalfBits(-1e9), 0xfc00);
  });

  it('are stored little-endian', () => {
    assert.deepEqual([...toHalfBytes(Float32Array.of(1, -2))], [0x00, 0x3c, 0x00, 0xc0]);
  });
});
