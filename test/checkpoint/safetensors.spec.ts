import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { array, assert as check, asyncProperty, integer, nat, tuple } from 'fast-check';
import { openCheckpoint } from '../../src/checkpoint/index.ts';
import { MAX_HEADER_BYTES } from '../../src/checkpoint/safetensors.ts';
import { bytes, float32, int64 } from '../support/pickle-writer.ts';
import { FIXTURES, isInvalid, readAll, scratchFolder } from './support/files.ts';

interface Entry {
  dtype?: unknown;
  shape?: unknown;
  data_offsets?: unknown;
}

/** A safetensors file around a header, an object or a text as it stands. */
function safetensors(header: Record<string, unknown> | string, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  return bytes(int64(BigInt(text.length)), text, data);
}

const four: Entry = { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] };
const two: Entry = { dtype: 'F32', shape: [2], data_offsets: [16, 24] };
const values = float32(1, 2, 3, 4, 5, 6);

describe('a checkpoint in safetensors form', () => {
  const scratch = scratchFolder();
  const write = (content: Uint8Array) => scratch.write(content, 'model.safetensors');

  async function refuses(content: Uint8Array, ...reasons: RegExp[]): Promise<void> {
    await assert.rejects(openCheckpoint(write(content)), isInvalid(/^model\.safetensors: /, ...reasons));
  }

  for (const metadata of [{}, { __metadata__: { format: 'pt' } }]) {
    it(`is read in any order of the data, by its own names, ${'__metadata__' in metadata ? 'with' : 'without'} metadata`, async () => {
      const tensors = await readAll(write(safetensors({ ...metadata, b: two, a: four }, values)));
      assert.deepEqual(
        [...tensors].map(([name, floats]) => [name, [...floats]]),
        [
          ['b', [5, 6]],
          ['a', [1, 2, 3, 4]],
        ],
      );
    });
  }

  it('is read without the prefix that all names have', async () => {
    const tensors = await readAll(write(safetensors({ 'model.a': four, 'model.b': two }, values)));
    assert.deepEqual([...tensors.keys()], ['a', 'b']);
  });

  it('is read with odd names, without touching Object.prototype', async () => {
    const header = `{"__proto__":${JSON.stringify(four)},"ü\\"✓":${JSON.stringify(two)}}`;
    const tensors = await readAll(write(safetensors(header, values)));
    assert.deepEqual([...tensors.keys()], ['__proto__', 'ü"✓']);
    assert.equal(({} as Entry).dtype, undefined);
  });

  it('is recognised whatever its name is', async () => {
    const tensors = await readAll(scratch.write(safetensors({ a: four, b: two }, values), 'model.bin'));
    assert.equal(tensors.size, 2);
  });

  describe('is refused with a header', () => {
    it('beyond all measure, before any memory is set aside', async () => {
      const length = BigInt(MAX_HEADER_BYTES) + 1n;
      await refuses(bytes(int64(length), '{'), new RegExp(`a safetensors header of ${length} bytes`));
    });

    it('that the file ends in', async () => {
      await refuses(bytes(int64(100n), '{"a":'), /has 13 bytes, too few to hold 100 bytes at byte 8/);
    });

    for (const [title, header, reason] of [
      ['that is no JSON', '{"a":', /the safetensors header, bytes 8 to 13, is not valid JSON/],
      ['behind which more JSON follows', '{} {}', /is not valid JSON/],
      ['that is nested without end', `{"a":${'['.repeat(1e6)}`, /is not valid JSON/],
      ['with one name twice', '{"a":[{}],"b":{"x":","},"\\u0061":1}', /has the name "a" twice/],
      ['with one entry of a tensor twice', '{"a":{"shape":[1],"dtype":"F32","shape":[2]}}', /"shape" twice/],
      ['with metadata that are none', '{"__metadata__":[]}', /__metadata__ of the header is no object/],
    ] as const) {
      it(title, () => refuses(safetensors(header), reason));
    }

    it('that is no UTF-8', async () => {
      await refuses(bytes(int64(2n), '{', 0xff), /is not valid JSON/);
    });

    it('of more tensors than any model has', async () => {
      const entry = { dtype: 'U8', shape: [0], data_offsets: [0, 0] };
      const header = Object.fromEntries(Array.from({ length: 20_001 }, (_, i) => [`t${i}`, entry]));
      await refuses(safetensors(header), /has 20001 tensors, more than the 20000/);
    });
  });

  describe('is refused with a tensor', () => {
    for (const [title, entry, reason] of [
      ['that is no object', [1], /the tensor "a" has a header entry that is no object/],
      [
        'of an unknown type',
        { ...four, dtype: 'F8_E4M3' },
        /the dtype "F8_E4M3".*save it as one of F64, F32/,
      ],
      ['of a type that is no text', { ...four, dtype: [[['F32']]] }, /has no dtype/],
      ['of a type by another name', { ...four, dtype: 'constructor' }, /the dtype "constructor"/],
      ['without a shape', { ...four, shape: undefined }, /has a shape that is no list/],
      ['of a negative size', { ...four, shape: [-2, -2] }, /has a shape that is no list/],
      ['of a fractional size', { ...four, shape: [0.5, 8] }, /has a shape that is no list/],
      ['of endless axes', { ...four, shape: Array(65).fill(1) }, /no list of at most 64 integers/],
      ['of a size that overflows', { ...four, shape: [2 ** 53 - 1, 2 ** 53 - 1] }, /has 16 bytes of data/],
      ['without offsets', { ...four, data_offsets: [0] }, /has data_offsets that are no pair/],
      ['with offsets that are no numbers', { ...four, data_offsets: ['0', '16'] }, /no pair of integers/],
      ['before the data', { ...four, data_offsets: [-16, 0] }, /no pair of integers of 0 or more/],
      ['behind the data', { ...four, data_offsets: [16, 32] }, /16 to 32, outside of the 24 bytes of data/],
      ['that ends before it begins', { ...four, data_offsets: [16, 0] }, /16 to 0, outside/],
      [
        'of fewer bytes',
        { ...four, data_offsets: [0, 12] },
        /has 12 bytes of data, its shape \[2, 2\].*need 16/,
      ],
      ['of more bytes', { ...four, data_offsets: [0, 24] }, /has 24 bytes of data, .*need 16/],
    ] as const) {
      it(title, () => refuses(safetensors({ a: entry }, values), reason));
    }

    it('that overlaps another', async () => {
      const overlapping = { ...two, data_offsets: [12, 20] };
      await refuses(
        safetensors({ a: four, b: overlapping }, values),
        /"b" at byte 12 .*overlaps.*ends at 16/,
      );
      await refuses(safetensors({ a: four, b: four, c: two }, values), /"b" at byte 0 of the data overlaps/);
    });

    it('that leaves bytes to no one', async () => {
      await refuses(safetensors({ b: two }, values), /"b" at byte 16 of the data leaves a gap/);
      await refuses(safetensors({ a: four }, values), /has 24 bytes of data, its tensors fill 16/);
    });
  });

  const whole = readFileSync(join(FIXTURES, 'types.safetensors'));

  it('is refused wherever it ends', async () => {
    const path = write(whole);
    for (let length = whole.length - 1; length >= 0; length -= 7) {
      truncateSync(path, length);
      await assert.rejects(openCheckpoint(path), isInvalid(/^model\.safetensors: /), `cut at byte ${length}`);
    }
  });

  it('is read or refused, nothing else, with other bytes', async () => {
    const flip = tuple(nat(whole.length - 1), integer({ min: 1, max: 255 }));
    await check(
      asyncProperty(array(flip, { minLength: 1, maxLength: 4 }), async (flips) => {
        const damaged = Buffer.from(whole);
        for (const [position, mask] of flips) damaged[position]! ^= mask;
        try {
          await readAll(write(damaged));
        } catch (error) {
          isInvalid()(error);
        }
      }),
      { numRuns: 200 },
    );
  });
});
