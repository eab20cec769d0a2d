/** What lies in Redis and is nothing of ours does not come out, and costs nothing. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import type { ChildParsing } from '../../../src/engine/protocol.ts';
import {
  answerLimit,
  packAnswer,
  packRequest,
  requestLimit,
  unpackAnswer,
  unpackRequest,
} from '../../../src/engine/remote/redis/codec.ts';
import { M2fpError } from '../../../src/errors.ts';
import { encodeRle } from '../../../src/parsing/masks/rle.ts';
import type { Part, Person } from '../../../src/parsing/types.ts';
import { turnsOf } from '../../support/turns.ts';
import { errorOf, packr, SIZE, small } from '../support/codec.ts';

describe('wire', () => {
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
    it(`refuses what is something else: ${inspect(content, { breakLength: Infinity })}`, async () => {
      const packed = packr.pack(content);
      assert.equal((await errorOf(() => unpackRequest(packed))).code, 'M2FP_BAD_IMAGE');
      assert.equal(
        (await errorOf(() => unpackAnswer(deflateSync(packed), SIZE))).code,
        'M2FP_ENGINE_UNAVAILABLE',
      );
    });
  }

  it('refuses garbage', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        async (garbage) => {
          await errorOf(() => unpackRequest(garbage));
          await errorOf(() => unpackAnswer(garbage, SIZE));
          await errorOf(() => unpackAnswer(deflateSync(garbage), SIZE));
        },
      ),
    );
  });

  it('survives damage anywhere', async () => {
    const packed = packRequest({ digest: 'd', image: Buffer.from('a picture'), options: { flip: true } });
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: packed.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flips) => {
          const damaged = Buffer.from(packed);
          damaged[at]! ^= flips;
          // What is damaged inside the picture is the decoder's to find.
          await Promise.resolve()
            .then(() => unpackRequest(damaged))
            .catch((error: unknown) => assert.ok(error instanceof M2fpError));
          await errorOf(() => unpackRequest(damaged.subarray(0, at)));
        },
      ),
    );
  });

  describe('is not led to unpack what no picture has', () => {
    const header = (first: number, size: number) => {
      const head = Buffer.from([0x81, 0xa1, 0x78, first, 0, 0, 0, 0]);
      head.writeUInt32BE(size, 4);
      return head;
    };
    /** In a property `x`; `count` and what stands for it. */
    const lists: Record<string, Buffer> = {
      'a list of 500 million entries, none of which is there': header(0xdd, 500_000_000),
      'a map of 500 million entries, none of which is there': header(0xdf, 500_000_000),
      'a text that ends too early': header(0xdb, 500_000_000),
      'bytes that end too early': header(0xc6, 500_000_000),
      'a list of 30 million entries': Buffer.concat([
        header(0xdd, 30_000_000),
        Buffer.alloc(30_000_000, 0xc0),
      ]),
      'a million lists in lists': Buffer.concat([Buffer.alloc(1_000_000, 0x91), Buffer.from([0xc0])]),
      'a million maps in maps': Buffer.concat([
        Buffer.alloc(3_000_000, Buffer.from([0x81, 0xa1, 0x78])),
        Buffer.from([0xc0]),
      ]),
      'a map with lists for names': Buffer.from([0x81, 0x91, 0x01, 0x01]),
      'a value of another type': Buffer.from([0x81, 0xa1, 0x78, 0xd4, 0x72, 0x40]),
      'whole numbers of 64 bits': Buffer.from([0x81, 0xa1, 0x76, 0xcf, 0, 0, 0, 0, 0, 0, 0, 1]),
      'more behind its end': Buffer.from([0x80, 0x80]),
      nothing: Buffer.alloc(0),
    };

    for (const [what, packed] of Object.entries(lists)) {
      it(what, async () => {
        const deflated = deflateSync(packed, { level: 1 });
        const before = process.memoryUsage();
        const { longest, result } = await turnsOf(async () => {
          const ofRequest = await errorOf(() => unpackRequest(packed));
          const ofAnswer = await errorOf(() => unpackAnswer(deflated, SIZE));
          return [ofRequest, ofAnswer] as const;
        });
        const [ofRequest, ofAnswer] = result;
        assert.equal(ofRequest.code, 'M2FP_BAD_IMAGE');
        assert.equal(ofAnswer.code, 'M2FP_ENGINE_UNAVAILABLE');
        assert.ok(longest < 50, `${longest} ms in one go`);
        const { heapUsed } = process.memoryUsage();
        assert.ok(heapUsed - before.heapUsed < 20e6, 'memory was taken for what is not there');
      });
    }

    it('an answer that becomes large when it is inflated', async () => {
      const bomb = deflateSync(Buffer.alloc(200e6), { level: 9 });
      assert.ok(bomb.length < answerLimit(SIZE));
      const { arrayBuffers } = process.memoryUsage();
      assert.equal((await errorOf(() => unpackAnswer(bomb, SIZE))).code, 'M2FP_ENGINE_UNAVAILABLE');
      assert.ok(process.memoryUsage().arrayBuffers - arrayBuffers < 20e6);
    });

    it('tells how long what lies in Redis may be', () => {
      const { length } = packRequest({
        digest: 'd'.repeat(64),
        image: Buffer.alloc(32 * 2 ** 20),
        options: {},
      });
      assert.ok(length <= requestLimit({ kind: 'short-side', shortSide: 160, longSide: 384 }, 32 * 2 ** 20));
      assert.ok(answerLimit(null) < answerLimit(SIZE) + 1 && answerLimit(SIZE) < 3e6);
      assert.ok(answerLimit({ width: 8160, height: 6144 }) < 150e6);
    });
  });

  describe('refuses a parsing that does not fit the picture', () => {
    const noise = encodeRle(Buffer.from([1, 0, 1, 0, 1, 0, 1, 0]), 4, 2);
    const both = (change: object) => (made: ChildParsing) => {
      Object.assign(made.parts[0]!, change);
    };
    const changes: Record<string, (made: ChildParsing) => unknown> = {
      'of another size': (made) => Object.assign(made, { width: 2, height: 4 }),
      'without persons': (made) => Reflect.deleteProperty(made, 'persons'),
      'with no person in the place of one': (made) => made.persons.push(null as unknown as Person),
      'with a score that is no number': both({ score: NaN }),
      'with a score without end': both({ score: Infinity }),
      'with a score that is a text': both({ score: '0.5' }),
      'with a score above 1': both({ score: 2 }),
      'with a score below 0': both({ score: -0.1 }),
      'with an area below 0': both({ area: -3 }),
      'with a box of less than nothing': both({ box: { x: 1, y: 0, width: -2, height: 2 } }),
      'with a box that is no number': both({ box: { x: 1, y: 0, width: NaN, height: 2 } }),
      'with another box than its mask': both({ box: { x: 0, y: 0, width: 3, height: 2 } }),
      'with a box that is smaller than its area': both({ box: { x: 1, y: 0, width: 1, height: 2 } }),
      'with a part of a person who is not there': both({ person: 99 }),
      'with two persons of one id': (made) => made.persons.push(structuredClone(made.persons[0]!)),
      'with two parts of one id': (made) => made.parts.push(structuredClone(made.parts[0]!)),
      'with a doubtful person of the id of another one': (made) =>
        made.doubtful.persons.push(structuredClone(made.persons[0]!)),
      'with a doubtful part of the id of another one': (made) =>
        made.doubtful.parts.push(structuredClone(made.parts[0]!)),
      'with a part of a doubtful person': (made) => {
        made.doubtful.persons.push({ ...structuredClone(made.persons[0]!), id: 2 });
        made.parts[0]!.person = 2;
      },
      'with a doubtful person in the person map': (made) => {
        made.doubtful.persons.push({ ...structuredClone(made.persons[0]!), id: 2 });
        made.personMap[3] = 2;
      },
      'with a box outside the picture': both({ box: { x: 3, y: 0, width: 2, height: 2 } }),
      'with a mask of another size': both({ mask: { ...noise, size: [4, 2] } }),
      'with a mask that is damaged': both({ mask: { size: [2, 4], counts: 'abc' } }),
      'with a mask that is cut off': both({ mask: { size: [2, 4], counts: noise.counts.slice(0, -2) } }),
      'with a mask that is too long': both({ mask: { size: [2, 4], counts: '0'.repeat(900_000) } }),
      'with another area than its mask': both({ area: 3 }),
      'with a label that is not there': both({ index: 9 }),
      'with the name of another label': both({ label: 'Human' }),
      'with a name of megabytes': both({ label: 'x'.repeat(5e6) }),
      'with labels of megabytes': (made) => (made.labels[0] = 'x'.repeat(5e6)),
      'with labels of a thousand characters': (made) => (made.labels[0] = 'x'.repeat(1000)),
      'with a label map of another length': (made) => (made.labelMap = Buffer.alloc(7)),
      'with a label map that is none': (made) => (made.labelMap = 'x' as unknown as Buffer),
      'with a label map of labels that are not there': (made) => (made.labelMap[3] = 4),
      'with a person map of persons that are not there': (made) => (made.personMap[3] = 2),
      'with a time that is no number': (made) => (made.timing.decode = NaN),
      'with a time that no picture takes': (made) => (made.timing.inference = 1e308),
      'with a time below 0': (made) => (made.timing.postprocess = -1),
      'with a time that is not there': (made) => Reflect.deleteProperty(made.timing, 'preprocess'),
      'without times': (made) => Reflect.deleteProperty(made, 'timing'),
      'without the doubtful': (made) => Reflect.deleteProperty(made, 'doubtful'),
      'with nothing in the place of something doubtful': (made) =>
        made.doubtful.parts.push(null as unknown as Part),
      'with a doubtful mask that is damaged': (made) =>
        made.doubtful.parts.push({ ...made.parts[0]!, mask: { size: [2, 4], counts: '\0' } }),
    };

    it('takes the one that does', async () => {
      assert.deepEqual(await unpackAnswer(await packAnswer({ parsing: small() }), SIZE), {
        parsing: small(),
      });
    });

    it('takes doubtful parts of persons and of doubtful persons', async () => {
      const made = small();
      const [person, part] = [made.persons[0]!, made.parts[0]!];
      made.doubtful.persons.push({ ...structuredClone(person), id: 2 });
      made.doubtful.parts.push(
        { ...structuredClone(part), id: 2, person: 1 },
        { ...structuredClone(part), id: 3, person: 2 },
      );
      assert.deepEqual(await unpackAnswer(await packAnswer({ parsing: made }), SIZE), { parsing: made });
    });

    for (const [what, change] of Object.entries(changes)) {
      it(what, async () => {
        const damaged = small();
        change(damaged);
        const packed = await packAnswer({ parsing: damaged });
        const error = await errorOf(() => unpackAnswer(packed, SIZE));
        assert.equal(error.code, 'M2FP_ENGINE_UNAVAILABLE');
        assert.ok(error.message.length < 500, `${error.message.length} characters`);
      });
    }

    it('where the picture has no size that can be read', async () => {
      const packed = await packAnswer({ parsing: small() });
      assert.equal((await errorOf(() => unpackAnswer(packed, null))).code, 'M2FP_ENGINE_UNAVAILABLE');
    });

    it('and an error with a strange code', async () => {
      const strange = deflateSync(
        packr.pack({ v: 2, error: { message: 'x', code: '__proto__', stack: 'x'.repeat(1000) } }),
      );
      const answer = await unpackAnswer(strange, SIZE);
      assert.ok('error' in answer);
      assert.equal(answer.error.code, 'M2FP_ENGINE_CRASHED');
      assert.ok(!answer.error.stack!.includes('xxx'));
    });

    for (const error of [
      { message: 'x'.repeat(500_000) },
      { message: 3 },
      { code: 'M2FP_BUSY' },
      { message: null, stack: 'x' },
    ]) {
      it(`and an error that is none: ${inspect(error, { breakLength: Infinity, maxStringLength: 10 })}`, async () => {
        const packed = deflateSync(packr.pack({ v: 2, error }));
        assert.equal((await errorOf(() => unpackAnswer(packed, SIZE))).code, 'M2FP_ENGINE_UNAVAILABLE');
      });
    }
  });
});
