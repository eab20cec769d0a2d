/** What goes through Redis comes out as it went in, and nothing else comes out. */
import assert from 'node:assert/strict';
import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import type { ChildParsing } from '../../../src/engine/protocol.ts';
import type { RemoteTask } from '../../../src/engine/remote/link.ts';
import { packAnswer, packTask, unpackAnswer, unpackTask } from '../../../src/engine/remote/wire.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { NetworkInput } from '../../../src/image/types.ts';

const packr = new Packr({ useRecords: false });

/** What comes out are usual objects. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });
const bytes = (length?: number) =>
  fc
    .uint8Array(length === undefined ? {} : { minLength: length, maxLength: length })
    .map((view) => Buffer.from(view));
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const count = fc.nat({ max: 2 ** 31 });

const networkInput: fc.Arbitrary<NetworkInput> = record({
  type: fc.constant('m2fp-input' as const),
  width: count,
  height: count,
  data: bytes(),
  crop: record({ x: count, y: count, width: count, height: count }),
  rule: fc.constantFrom(
    { kind: 'short-side' as const, shortSide: 160, longSide: 384 },
    { kind: 'canvas' as const, width: 473, height: 473, pad: 127.5 },
  ),
  source: record({ image: fc.constant(Buffer.alloc(0)), width: count, height: count }),
});

const task: fc.Arbitrary<RemoteTask> = record({
  digest: fc.string(),
  image: fc.oneof(bytes(), networkInput),
  options: fc.record(
    { shortSide: count, scoreThreshold: number, flip: fc.boolean() },
    { requiredKeys: [], noNullPrototype: true },
  ),
});

const box = record({ x: count, y: count, width: count, height: count });
const mask = record({ size: fc.tuple(count, count), counts: fc.string() });
const person = record({ id: count, score: number, box, area: count, mask });
const part = record({
  id: count,
  label: fc.string({ unit: 'binary' }),
  index: count,
  person: fc.option(count),
  score: number,
  box,
  area: count,
  mask,
});

const parsing: fc.Arbitrary<ChildParsing> = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }))
  .chain(([width, height]) =>
    record({
      width: fc.constant(width),
      height: fc.constant(height),
      labels: fc.array(fc.string({ unit: 'binary' })),
      labelMap: bytes(width * height),
      personMap: bytes(width * height),
      persons: fc.array(person),
      parts: fc.array(part),
      doubtful: record({ persons: fc.array(person), parts: fc.array(part) }),
      timing: record({ decode: number, preprocess: number, inference: number, postprocess: number }),
    }),
  );

/** The M2fpError that `work` throws; anything else fails. */
async function errorOf(work: () => unknown): Promise<M2fpError> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => assert.fail('Nothing was thrown'),
      (thrown: unknown) => thrown,
    );
  assert.ok(error instanceof M2fpError, String(error));
  return error;
}

describe('wire', () => {
  it('brings tasks as they are', () => {
    fc.assert(fc.property(task, (sent) => assert.deepEqual(unpackTask(packTask(sent)), sent)));
  });

  it('brings parsings as they are', async () => {
    await fc.assert(
      fc.asyncProperty(parsing, async (sent) => {
        assert.deepEqual(await unpackAnswer(await packAnswer({ parsing: sent })), { parsing: sent });
      }),
    );
  });

  it('makes maps small', async () => {
    const width = 1920;
    const height = 1080;
    const sent: ChildParsing = {
      width,
      height,
      labels: [],
      labelMap: Buffer.alloc(width * height, 3),
      personMap: Buffer.alloc(width * height, 1),
      persons: [],
      parts: [],
      doubtful: { persons: [], parts: [] },
      timing: { decode: 0, preprocess: 0, inference: 0, postprocess: 0 },
    };
    const { length } = await packAnswer({ parsing: sent });
    assert.ok(length < (2 * width * height) / 50, `${length} bytes`);
  });

  it('brings errors with their code, and without the folders of the worker', async () => {
    const answer = await packAnswer({ error: new M2fpError('M2FP_BAD_IMAGE', 'It is torn.') });
    assert.ok(!inflateSync(answer).includes('wire.spec'));
    const received = await unpackAnswer(answer);
    assert.ok('error' in received && received.error instanceof M2fpError);
    assert.deepEqual([received.error.code, received.error.message], ['M2FP_BAD_IMAGE', 'It is torn.']);
  });

  it('has a code for errors of others, and for what is no error', async () => {
    for (const error of [new TypeError('x'), 'x', Object.assign(new Error('x'), { code: 'ENOENT' })]) {
      const received = await unpackAnswer(await packAnswer({ error }));
      assert.ok('error' in received);
      assert.deepEqual([received.error.code, received.error.message], ['M2FP_ENGINE_CRASHED', 'x']);
    }
  });

  it('says so where another version wrote it', async () => {
    const newer = packr.pack({ v: 3, digest: '', image: Buffer.alloc(1), options: {} });
    const ofTask = await errorOf(() => unpackTask(newer));
    assert.equal(ofTask.code, 'M2FP_ENGINE_UNAVAILABLE');
    assert.match(ofTask.message, /has version 3; this package reads version 2: install the same version/);
    const ofAnswer = await errorOf(() => unpackAnswer(deflateSync(newer)));
    assert.equal(ofAnswer.code, 'M2FP_ENGINE_UNAVAILABLE');
    assert.match(ofAnswer.message, /version 3/);
  });

  it('refuses what is something else', async () => {
    const wrong = [
      { v: 2 },
      { v: 2, digest: '', image: 'text', options: {} },
      { v: 2, digest: '', image: Buffer.alloc(1), options: null },
      { v: 2, image: Buffer.alloc(1), options: {} },
      { v: 2, parsing: { width: 2, height: 2, labelMap: Buffer.alloc(3), personMap: Buffer.alloc(4) } },
      { v: 2, error: 'text' },
      [1],
      null,
    ];
    for (const content of wrong) {
      const packed = packr.pack(content);
      assert.equal((await errorOf(() => unpackTask(packed))).code, 'M2FP_BAD_IMAGE');
      assert.equal((await errorOf(() => unpackAnswer(deflateSync(packed)))).code, 'M2FP_ENGINE_UNAVAILABLE');
    }
  });

  it('refuses garbage', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(), async (garbage) => {
        await errorOf(() => unpackTask(garbage));
        await errorOf(() => unpackAnswer(garbage));
        await errorOf(() => unpackAnswer(deflateSync(garbage)));
      }),
    );
  });

  it('survives damage anywhere', async () => {
    const packed = packTask({ digest: 'd', image: Buffer.from('a picture'), options: { flip: true } });
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: packed.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flips) => {
          const damaged = Buffer.from(packed);
          damaged[at]! ^= flips;
          // What is damaged inside the picture is the decoder's to find.
          await Promise.resolve()
            .then(() => unpackTask(damaged))
            .catch((error: unknown) => assert.ok(error instanceof M2fpError));
          await errorOf(() => unpackTask(damaged.subarray(0, at)));
        },
      ),
    );
  });
});
