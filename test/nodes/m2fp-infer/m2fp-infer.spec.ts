import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { NodeMessage } from 'node-red';
import { preprocess } from '../../../src/image/index.ts';
import { withPolygons } from '../../../src/parsing/polygonize.ts';
import type { ParsingSummary } from '../../../src/parsing/summary.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { exampleParsing, fakeEngines, MANIFEST } from '../support/fake-engine.ts';
import { inferNode } from '../support/infer.ts';
import { notPlain } from '../support/plain-data.ts';
import { type Events, nodeOf, send, startFlow } from '../support/red.ts';

describe('m2fp-infer', () => {
  const t = inferNode();
  const parsed = async (events: Events, msg: NodeMessage): Promise<Buffer> => {
    send(msg);
    await events.ended();
    assert.deepEqual(events.caught, []);
    return t.engine.requests[0]!.image as Buffer;
  };
  describe('a picture', () => {
    it('puts the summary where the form says, and leaves the payload', async () => {
      const events = await t.start({ result: 'a.summary' });
      send({ payload: t.image });
      await events.ended();
      const [sent] = events.sent;
      assert.equal(sent!.payload, t.image);
      assert.equal((sent!['a'] as { summary: ParsingSummary }).summary.width, 8);
    });

    it('has polygons where the form or the message says so', async () => {
      const events = await t.start({ polygons: true, iou: 1 });
      send({ payload: t.image });
      await events.ended();
      const { parsing, payload } = events.sent[0] as unknown as { parsing: Parsing; payload: ParsingSummary };
      const expected = await withPolygons(await exampleParsing(), 1);
      assert.deepEqual(parsing.parts, expected.parts);
      assert.deepEqual(payload.persons[0]!.polygons, expected.persons[0]!.polygons);
      send({ payload: t.image, m2fp: { polygons: false } });
      await events.until(() => events.sent.length === 2);
      assert.equal('polygons' in (events.sent[1]!['parsing'] as Parsing).persons[0]!, false);
      send({ payload: t.image, m2fp: { iou: 2 } });
      await events.until(() => events.caught.length === 1);
      assert.equal((events.caught[0]!['error'] as { code: string }).code, 'M2FP_BAD_OPTION');
    });

    it('becomes msg.parsing and a summary in msg.payload; the rest of the message stays', async () => {
      const events = await t.start();
      const other = { deep: [1] };
      const msg: NodeMessage = {
        payload: t.image,
        topic: 'camera/1',
        other,
        parts: { id: 'a', index: 0, count: 1 },
      };
      const names = new Set([...Object.keys(msg), '_msgid', 'parsing']);
      send(msg);
      await events.ended();
      const [sent] = events.sent as [NodeMessage];
      assert.deepEqual(new Set(Object.keys(sent)), names);
      assert.equal(sent, msg, 'the same message object is passed on');
      assert.equal(sent['other'], other);
      assert.equal(sent.topic, 'camera/1');
      const parsing = sent['parsing'] as Parsing;
      assert.deepEqual(parsing.persons, (await exampleParsing()).persons);
      assert.equal(parsing.image.buffer, t.image.buffer, 'the picture is not copied');
      const summary = sent.payload as ParsingSummary;
      assert.deepEqual(
        summary.parts.map(({ label, person }) => [label, person]),
        [
          ['Hair', 1],
          ['Coat', 1],
          ['Hair', 2],
          ['Coat', 2],
        ],
      );
      assert.deepEqual(notPlain(sent), []);
      assert.deepEqual(JSON.parse(JSON.stringify(summary)), summary);
    });

    it('is told to Complete nodes once, and to no Catch node', async () => {
      const events = await t.start();
      send({ payload: t.image });
      await events.until(() => events.completed.length > 0);
      send({ payload: t.image });
      await events.until(() => events.completed.length > 1);
      assert.equal(events.sent.length, 2);
      assert.equal(events.caught.length, 0);
    });

    it('goes to both of two wires, and nobody writes into its buffers', async () => {
      const events = await t.start();
      const copy = Buffer.from(t.image);
      send({ payload: t.image });
      await events.until(() => events.sent.length + events.sentOnSecondWire.length === 2);
      const [one] = events.sent;
      const [other] = events.sentOnSecondWire;
      assert.deepEqual(other!['parsing'], one!['parsing']);
      assert.notEqual(other!['parsing'], one!['parsing']);
      assert.ok(t.image.equals(copy));
    });

    const forms: [string, () => NodeMessage, object?][] = [
      ['a Buffer', () => ({ payload: t.image })],
      ['base64', () => ({ payload: t.image.toString('base64') })],
      ['a data URL', () => ({ payload: `data:image/png;base64,${t.image.toString('base64')}` })],
      ['an object with image', () => ({ payload: { image: t.image } })],
      ['an upload', () => ({ payload: { fieldname: 'a', buffer: t.image, mimetype: 'image/png' } })],
      ['an array of uploads', () => ({ payload: [{ buffer: Buffer.from('text') }, { buffer: t.image }] })],
      [
        'msg.req.files, where the payload has none',
        () => ({ payload: {}, req: { files: [{ buffer: t.image }] } }),
      ],
      ['msg.req.files, without a payload', () => ({ req: { files: [{ buffer: t.image }] } })],
      ['another property', () => ({ a: { b: t.image } }), { picture: 'a.b' }],
    ];
    for (const [name, message, properties] of forms) {
      it(`is taken from ${name}`, async () => {
        const events = await t.start(properties);
        const msg = message();
        assert.ok((await parsed(events, msg)).equals(t.image));
      });
    }

    const places: [pictureType: string, value: () => string][] = [
      ['flow', () => 'shot'],
      ['global', () => 'shot'],
      ['str', () => t.image.toString('base64')],
      ['env', () => 'M2FP_TEST_PICTURE'],
    ];
    for (const [pictureType, value] of places) {
      it(`is taken from the typed input "${pictureType}"`, async () => {
        process.env['M2FP_TEST_PICTURE'] = t.image.toString('base64');
        try {
          const events = await t.start({ picture: value(), pictureType });
          nodeOf('node').context().flow.set('shot', t.image);
          nodeOf('node').context().global.set('shot', t.image);
          assert.ok((await parsed(events, { payload: 'nothing' })).equals(t.image));
        } finally {
          delete process.env['M2FP_TEST_PICTURE'];
        }
      });
    }

    it('may be what preprocess made', async () => {
      const { input } = await preprocess(t.image, MANIFEST.input);
      const events = await startFlow([t.model({ shortSide: 100 }), t.infer()]);
      assert.equal(await parsed(events, { payload: input }), input);
      // Its size is decided; only the message could still object.
      assert.deepEqual(t.engine.requests[0]!.options, { scoreThreshold: 0.5 });
    });
  });

  describe('a bad message', () => {
    const bad: [string, NodeMessage, string, number][] = [
      ['without a payload', {}, 'M2FP_NO_IMAGE', 400],
      ['of null', { payload: null }, 'M2FP_NO_IMAGE', 400],
      ['of a number', { payload: 3 }, 'M2FP_NO_IMAGE', 400],
      ['of true', { payload: true }, 'M2FP_NO_IMAGE', 400],
      ['of an empty Buffer', { payload: Buffer.alloc(0) }, 'M2FP_NO_IMAGE', 400],
      ['of an empty text', { payload: '' }, 'M2FP_NO_IMAGE', 400],
      ['of an empty object', { payload: {} }, 'M2FP_NO_IMAGE', 400],
      ['of an empty array', { payload: [] }, 'M2FP_NO_IMAGE', 400],
      ['of no uploads', { payload: {}, req: { files: [] } }, 'M2FP_NO_IMAGE', 400],
      ['of a text', { payload: 'hello world, this is no picture' }, 'M2FP_UNSUPPORTED_FORMAT', 415],
      [
        'of SVG',
        { payload: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') },
        'M2FP_UNSUPPORTED_FORMAT',
        415,
      ],
      [
        'of an upload that is no picture',
        { req: { files: [{ buffer: Buffer.from('%PDF-1.4') }] } },
        'M2FP_UNSUPPORTED_FORMAT',
        415,
      ],
      ['of a huge Buffer', { payload: Buffer.alloc(33 * 1024 * 1024, 0xff) }, 'M2FP_IMAGE_TOO_LARGE', 413],
      ['with an unknown option', { payload: 'x', m2fp: { size: 1 } }, 'M2FP_BAD_OPTION', 400],
      ['with a wrong option', { payload: 'x', m2fp: { shortSide: -1 } }, 'M2FP_BAD_OPTION', 400],
    ];
    for (const [name, msg, code, statusCode] of bad) {
      it(`${name} reaches Catch with ${code}, and msg.statusCode ${statusCode}`, async () => {
        const events = await t.start();
        send(msg);
        await events.ended();
        assert.equal(events.sent.length, 0);
        assert.equal(events.caught.length, 1);
        const [caught] = events.caught;
        assert.equal(caught!.error.code, code);
        assert.equal(caught!.error.source.id, 'node');
        assert.equal(caught!.statusCode, statusCode);
        assert.equal(t.engine.requests.length, 0);
        assert.equal(events.completed.length, 0);
      });
    }

    it('whose property does not exist says which', async () => {
      const events = await t.start({ picture: 'a.b.c' });
      send({ payload: t.image });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_NO_IMAGE');
    });

    it('does not stop the next one', async () => {
      const events = await t.start();
      send({ payload: null });
      send({ payload: t.image });
      await events.ended(2);
      assert.equal(events.sent.length, 1);
    });
  });

  describe('options', () => {
    it('come from the model, the form and the message, the later over the earlier', async () => {
      const events = await startFlow([
        t.model({ shortSide: '100', longSide: '200' }),
        t.infer({ scoreThreshold: '0.4' }),
      ]);
      send({ payload: t.image });
      send({ payload: t.image, m2fp: { longSide: 300, scoreThreshold: 0.6 } });
      await events.ended(2);
      assert.deepEqual(
        t.engine.requests.map(({ options }) => options),
        [
          { shortSide: 100, longSide: 200, scoreThreshold: 0.4 },
          { shortSide: 100, longSide: 300, scoreThreshold: 0.6 },
        ],
      );
    });

    for (const [properties, expected] of [
      [{}, 0.5],
      [{ scoreThreshold: undefined }, 0.5],
      [{ scoreThreshold: '' }, 0.5],
      [{ scoreThreshold: '0.1' }, 0.1],
      [{ scoreThreshold: 0.7 }, 0.7],
    ] as [object, number][]) {
      it(`have a minimum score of ${expected} with ${inspect(properties)}`, async () => {
        const events = await startFlow([t.model(), t.infer(properties)]);
        send({ payload: t.image });
        await events.ended();
        assert.equal(t.engine.requests[0]!.options!.scoreThreshold, expected, JSON.stringify(properties));
      });
    }

    it('of the engine come from the model', async () => {
      const { acquired } = fakeEngines();
      const config = { source: 'folder', folder: '/models/a', threads: '3', maxQueue: 2, timeout: '1.5' };
      const events = await startFlow([t.model(config), t.infer()]);
      send({ payload: t.image });
      await events.ended();
      const [options] = acquired;
      assert.deepEqual(
        [options!.model, options!.threads, options!.maxQueue, options!.timeout],
        ['/models/a', 3, 2, 1500],
      );
    });

    it('flip the picture where the form or the message says so', async () => {
      const events = await t.start({ flip: true });
      send({ payload: t.image });
      send({ payload: t.image, m2fp: { flip: false } });
      await events.ended(2);
      assert.deepEqual(
        t.engine.requests.map(({ options }) => options?.flip),
        [true, false],
      );
    });
  });
});
