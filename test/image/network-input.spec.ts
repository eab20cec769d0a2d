import assert from 'node:assert/strict';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { checkNetworkInput, isNetworkInput, withBuffers } from '../../src/image/network-input.ts';
import { preprocess } from '../../src/image/preprocess.ts';
import type { NetworkInput } from '../../src/image/types.ts';
import type { InputRule } from '../../src/m2fp/manifest.ts';
import { failure, noisePng } from './support.ts';

const CANVAS: InputRule = { kind: 'canvas', width: 12, height: 16, pad: 128 };
const SHORT: InputRule = { kind: 'short-side', shortSide: 8, longSide: 20 };
const canvasInput = async (): Promise<NetworkInput> => (await preprocess(noisePng(20, 10), CANVAS)).input;
const shortInput = async (): Promise<NetworkInput> => (await preprocess(noisePng(20, 10), SHORT)).input;

describe('isNetworkInput', () => {
  it('goes by the type', async () => {
    assert.equal(isNetworkInput(await canvasInput()), true);
  });

  for (const other of [null, undefined, 'm2fp-input', 5, {}, { type: 'other' }, Buffer.alloc(1), []]) {
    it(`is false for ${JSON.stringify(other)}`, () => {
      assert.equal(isNetworkInput(other), false);
    });
  }
});

describe('withBuffers', () => {
  it('does not wait for a Promise that lies in the input', async () => {
    const source = { image: new Promise(() => {}), width: 1, height: 1 };
    const data = { type: 'Buffer', data: [1, 2, 3] };
    const input = { type: 'm2fp-input', width: 1, height: 1, data, source } as unknown as NetworkInput;
    const { data: bytes, source: kept } = await withBuffers(input, DEFAULT_LIMITS);
    assert.deepEqual([...bytes], [1, 2, 3]);
    assert.equal(kept.image, source.image);
  });
});

describe('checkNetworkInput', () => {
  it('gives what preprocess made back as it is', async () => {
    const canvas = await canvasInput();
    const short = await shortInput();
    assert.equal(checkNetworkInput(canvas, CANVAS), canvas);
    assert.equal(checkNetworkInput(short, SHORT), short);
  });

  it('takes an equal rule in any order', async () => {
    const input = { ...(await canvasInput()), rule: { pad: 128, height: 16, width: 12, kind: 'canvas' } };
    assert.equal(checkNetworkInput(input, CANVAS), input);
  });

  it('converts Buffers that went through JSON, in a new object', async () => {
    const input = await canvasInput();
    const plain: unknown = JSON.parse(JSON.stringify(input));
    const before = structuredClone(plain);
    assert.deepEqual(checkNetworkInput(plain, CANVAS), input);
    assert.deepEqual(plain, before);
  });

  it('converts Uint8Arrays', async () => {
    const input = await canvasInput();
    const source = { ...input.source, image: Uint8Array.from(input.source.image) };
    assert.deepEqual(
      checkNetworkInput({ ...input, data: Uint8Array.from(input.data), source }, CANVAS),
      input,
    );
  });

  describe('refuses, and names, ', () => {
    const crop = { x: 0, y: 5, width: 12, height: 6 };
    const changes: [string, Record<string, unknown>, RegExp][] = [
      ['what is no network input', { type: 'other' }, /"type" is not "m2fp-input"/],
      ["another model's rule", { rule: SHORT }, /another model's rule.*canvas of 12 x 16, padded with 128/],
      ['a rule that differs in one number', { rule: { ...CANVAS, pad: 0 } }, /another model's rule/],
      ['no rule', { rule: undefined }, /another model's rule/],
      ['a width of 0', { width: 0 }, /width must be a whole number/],
      ['a height that is no number', { height: '16' }, /height must be a whole number/],
      ['a size over the rule', { width: 1200 }, /1200 x 16 is larger/],
      ['no crop', { crop: undefined }, /crop\.x/],
      ['a crop without pixels', { crop: { ...crop, width: 0 } }, /crop\.width/],
      ['a crop at a broken place', { crop: { ...crop, x: 0.5 } }, /crop\.x/],
      ['a crop that sticks out to the right', { crop: { ...crop, x: 1 } }, /12 x 6 at 1, 5\).*12 x 16/],
      ['a crop that sticks out below', { crop: { ...crop, y: 11 } }, /does not lie inside/],
      ['data that is no Buffer', { data: 'abc' }, /data must be a Buffer/],
      ['too few bytes', { data: Buffer.alloc(575) }, /575 bytes, 12 x 16 x 3 are 576/],
      ['too many bytes', { data: Buffer.alloc(577) }, /577 bytes/],
      ['no source', { source: undefined }, /source\.image/],
      ['a source without its size', { source: { image: noisePng(1, 1) } }, /source\.width/],
    ];
    for (const [name, change, pattern] of changes) {
      it(name, async () => {
        const input = { ...(await canvasInput()), ...change };
        assert.throws(() => checkNetworkInput(input, CANVAS), failure('M2FP_BAD_IMAGE', pattern));
      });
    }

    for (const value of [null, undefined, 5, 'x', []]) {
      it(`values that are no objects: ${JSON.stringify(value)}`, () => {
        assert.throws(() => checkNetworkInput(value, CANVAS), failure('M2FP_BAD_IMAGE'));
      });
    }

    it('a side over that of a short-side rule', async () => {
      const input = { ...(await shortInput()), width: 21, data: Buffer.alloc(21 * 8 * 3) };
      assert.throws(() => checkNetworkInput(input, SHORT), failure('M2FP_BAD_IMAGE', /long side at most 20/));
    });
  });

  it('refuses a source beyond the limits: the result would be as large', async () => {
    const input = await canvasInput();
    const large = { ...input, source: { ...input.source, width: 1e6, height: 1e6 } };
    assert.throws(
      () => checkNetworkInput(large, CANVAS),
      failure('M2FP_IMAGE_TOO_LARGE', /1000000 x 1000000/),
    );
    const limits = { maxBytes: input.source.image.length - 1, maxPixels: 1e6 };
    assert.throws(() => checkNetworkInput(input, CANVAS, limits), failure('M2FP_IMAGE_TOO_LARGE'));
  });
});
