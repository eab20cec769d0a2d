/** What goes through Redis comes out as it went in. */
import assert from 'node:assert/strict';
import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import type { ChildParsing } from '../../../src/engine/protocol.ts';
import type { RemoteRequest } from '../../../src/engine/remote/client/transport.ts';
import {
  answerLimit,
  packAnswer,
  packRequest,
  unpackAnswer,
  unpackRequest,
} from '../../../src/engine/remote/redis/codec.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { NetworkInput } from '../../../src/image/types.ts';
import { encodeRle, rleArea, rleBox } from '../../../src/parsing/masks/rle.ts';
import { turnsOf } from '../../support/turns.ts';
import { errorOf, NAMES, packr, SIZE } from '../support/codec.ts';

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

const request: fc.Arbitrary<RemoteRequest> = record({
  digest: fc.string(),
  image: fc.oneof(bytes(), networkInput),
  options: fc.record(
    { shortSide: count, scoreThreshold: number, flip: fc.boolean() },
    { requiredKeys: [], noNullPrototype: true },
  ),
});

/** A part of a picture, or a person in it, with the values that only the one or the other has. */
const region = <T>(width: number, height: number, own: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.tuple(bytes(width * height), score, record<T>(own)).map(([pixels, sure, rest]) => {
    const mask = encodeRle(
      pixels.map((pixel) => pixel & 1),
      width,
      height,
    );
    return { ...rest, score: sure, box: rleBox(mask), area: rleArea(mask), mask };
  });
const score = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
/** Each with an id of its own, those of the first list before those of the second. */
const numbered = <T>(one: fc.Arbitrary<T>) => {
  const some = fc.array(one, { maxLength: 5 });
  return fc.tuple(some, some).map(([certain, doubtful]) => {
    const all = [...certain, ...doubtful].map((found, index) => ({ ...found, id: index + 1 }));
    return { certain: all.slice(0, certain.length), doubtful: all.slice(certain.length) };
  });
};
const personsOf = (width: number, height: number) => numbered(region(width, height, {}));
const partsOf = (width: number, height: number) =>
  numbered(
    region(width, height, {
      index: fc.nat({ max: NAMES.length - 1 }),
      person: fc.option(fc.integer({ min: 1, max: 10 })),
    }).map((part) => ({ ...part, label: NAMES[part.index]! })),
  );
/** Nobody's, where there are fewer persons than it says. */
const owned = <T extends { person: number | null }>(parts: T[], persons: number): T[] =>
  parts.map((part) => ({ ...part, person: (part.person ?? Infinity) > persons ? null : part.person }));
const time = fc.double({ min: 0, max: 1e9, noNaN: true });

const parsing: fc.Arbitrary<ChildParsing> = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }))
  .chain(([width, height]) =>
    record({
      width: fc.constant(width),
      height: fc.constant(height),
      labels: fc.constant(NAMES).map((names) => [...names]),
      labelMap: bytes(width * height).map((map) => map.map((value) => value % NAMES.length)),
      personMap: fc.constant(Buffer.alloc(width * height)),
      persons: personsOf(width, height),
      parts: partsOf(width, height),
      timing: record({ decode: time, preprocess: time, inference: time, postprocess: time }),
    }),
  )
  .map(({ persons, parts, ...made }) => ({
    ...made,
    labelMap: Buffer.from(made.labelMap),
    persons: persons.certain,
    parts: owned(parts.certain, persons.certain.length),
    doubtful: {
      persons: persons.doubtful,
      parts: owned(parts.doubtful, persons.certain.length + persons.doubtful.length),
    },
  }));

describe('wire', () => {
  it('brings requests as they are', () => {
    const trial = request.map((one): RemoteRequest => ({ ...one, trial: true }));
    const any = fc.oneof(request, trial);
    fc.assert(fc.property(any, (sent) => assert.deepEqual(unpackRequest(packRequest(sent)), sent)));
  });

  it('brings parsings as they are', async () => {
    await fc.assert(
      fc.asyncProperty(parsing, async (sent) => {
        assert.deepEqual(await unpackAnswer(await packAnswer({ parsing: sent }), sent), { parsing: sent });
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
    const received = await unpackAnswer(answer, null);
    assert.ok('error' in received && received.error instanceof M2fpError);
    assert.deepEqual([received.error.code, received.error.message], ['M2FP_BAD_IMAGE', 'It is torn.']);
  });

  for (const [what, error] of Object.entries({
    'an error of others': new TypeError('x'),
    'what is no error': 'x',
    'an error with a code of others': Object.assign(new Error('x'), { code: 'ENOENT' }),
  })) {
    it(`has a code for ${what}`, async () => {
      const received = await unpackAnswer(await packAnswer({ error }), null);
      assert.ok('error' in received);
      assert.deepEqual([received.error.code, received.error.message], ['M2FP_ENGINE_CRASHED', 'x']);
    });
  }

  it('says so where another version wrote it', async () => {
    const newer = packr.pack({ v: 3, digest: '', image: Buffer.alloc(1), options: {} });
    const ofRequest = await errorOf(() => unpackRequest(newer));
    assert.equal(ofRequest.code, 'M2FP_ENGINE_UNAVAILABLE');
    assert.match(ofRequest.message, /has version 3; this package reads version 2: install the same version/);
    const ofAnswer = await errorOf(() => unpackAnswer(deflateSync(newer), SIZE));
    assert.equal(ofAnswer.code, 'M2FP_ENGINE_UNAVAILABLE');
    assert.match(ofAnswer.message, /version 3/);
  });

  it('looks through the answer to the largest picture without holding others up', async () => {
    const [width, height] = [8160, 6144];
    const pixels = width * height;
    // Stripes of two pixels: as restless as no network's output is.
    const stripes = Buffer.alloc(pixels);
    for (let x = 0; x < width; x += 4) for (let y = 0; y < height; y += 64) stripes[y * width + x] = 1;
    const mask = encodeRle(stripes, width, height);
    const person = { id: 1, score: 0.5, box: rleBox(mask), area: rleArea(mask), mask };
    const sent: ChildParsing = {
      width,
      height,
      labels: [...NAMES],
      labelMap: Buffer.alloc(pixels, 1),
      personMap: stripes,
      persons: Array.from({ length: 10 }, (_, index) => ({ ...person, id: index + 1 })),
      parts: [],
      doubtful: { persons: [], parts: [] },
      timing: { decode: 0, preprocess: 0, inference: 0, postprocess: 0 },
    };
    const packed = await packAnswer({ parsing: sent });
    assert.ok(packed.length < answerLimit(sent));
    const { longest, result } = await turnsOf(() => unpackAnswer(packed, sent));
    assert.ok('parsing' in result);
    assert.ok(longest < 50, `${longest} ms in one go`);
  });
});
