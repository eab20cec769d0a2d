import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import sharp from 'sharp';
import { engines } from '../../../nodes/common/engines.ts';
import { DroppedRequest } from '../../../src/engine/dropped.ts';
import { type MessageEndEvent, messageEvents } from '../../../src/engine/events.ts';
import type { QueueOptions } from '../../../src/engine/types.ts';
import { M2fpError } from '../../../src/errors.ts';
import { preprocess } from '../../../src/image/index.ts';
import type { ParsingSummary } from '../../../src/parsing/summary.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import {
  exampleParsing,
  type FakeEngine,
  fakeEngines,
  MANIFEST,
  restoreEngines,
} from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { deploy, type Events, nodeOf, send, startFlow, stopFlow } from '../support/red.ts';

describe('m2fp-infer', () => {
  let engine: FakeEngine;
  let picture: Buffer;

  const model = (properties = {}) => nodeConfig('m2fp-model', 'model', properties);
  const infer = (properties = {}) => nodeConfig('m2fp-infer', 'node', { model: 'model', ...properties });
  const start = (properties = {}): Promise<Events> => startFlow([model(), infer(properties)]);
  const parsed = async (events: Events, msg: NodeMessage): Promise<Buffer> => {
    send(msg);
    await events.ended();
    assert.deepEqual(events.caught, []);
    return engine.requests[0]!.image as Buffer;
  };

  before(async () => {
    picture = await sharp({ create: { width: 8, height: 4, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
  });
  beforeEach(() => {
    ({ engine } = fakeEngines());
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  describe('a picture', () => {
    it('puts the summary where the form says, and leaves the payload', async () => {
      const events = await start({ result: 'a.summary' });
      send({ payload: picture });
      await events.ended();
      const [sent] = events.sent;
      assert.equal(sent!.payload, picture);
      assert.equal((sent!['a'] as { summary: ParsingSummary }).summary.width, 8);
    });

    it('becomes msg.parsing and a summary in msg.payload; the rest of the message stays', async () => {
      const events = await start();
      const other = { deep: [1] };
      const msg: NodeMessage = {
        payload: picture,
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
      assert.equal(parsing.image.buffer, picture.buffer, 'the picture is not copied');
      const summary = sent.payload as unknown as ParsingSummary;
      assert.deepEqual(
        summary.persons.map(({ id, parts }) => [id, parts.map(({ label }) => label)]),
        [
          [1, ['Hair', 'Coat']],
          [2, ['Hair', 'Coat']],
        ],
      );
      assert.deepEqual(notPlain(sent), []);
      assert.deepEqual(JSON.parse(JSON.stringify(summary)), summary);
    });

    it('is told to Complete nodes once, and to no Catch node', async () => {
      const events = await start();
      send({ payload: picture });
      await events.until(() => events.completed.length > 0);
      send({ payload: picture });
      await events.until(() => events.completed.length > 1);
      assert.equal(events.sent.length, 2);
      assert.equal(events.caught.length, 0);
    });

    it('goes to both of two wires, and nobody writes into its buffers', async () => {
      const events = await start();
      const copy = Buffer.from(picture);
      send({ payload: picture });
      await events.until(() => events.sent.length + events.sentOnSecondWire.length === 2);
      const [one] = events.sent;
      const [other] = events.sentOnSecondWire;
      assert.deepEqual(other!['parsing'], one!['parsing']);
      assert.notEqual(other!['parsing'], one!['parsing']);
      assert.ok(picture.equals(copy));
    });

    const forms: [string, () => NodeMessage, object?][] = [
      ['a Buffer', () => ({ payload: picture })],
      ['base64', () => ({ payload: picture.toString('base64') })],
      ['a data URL', () => ({ payload: `data:image/png;base64,${picture.toString('base64')}` })],
      ['an object with image', () => ({ payload: { image: picture } })],
      ['an upload', () => ({ payload: { fieldname: 'a', buffer: picture, mimetype: 'image/png' } })],
      ['an array of uploads', () => ({ payload: [{ buffer: Buffer.from('text') }, { buffer: picture }] })],
      [
        'msg.req.files, where the payload has none',
        () => ({ payload: {}, req: { files: [{ buffer: picture }] } }),
      ],
      ['msg.req.files, without a payload', () => ({ req: { files: [{ buffer: picture }] } })],
      ['another property', () => ({ a: { b: picture } }), { picture: 'a.b' }],
    ];
    for (const [name, message, properties] of forms) {
      it(`is taken from ${name}`, async () => {
        const events = await start(properties);
        const msg = message();
        assert.ok((await parsed(events, msg)).equals(picture));
      });
    }

    it('is taken from flow and global context, a text and the environment', async () => {
      const base64 = picture.toString('base64');
      process.env['M2FP_TEST_PICTURE'] = base64;
      try {
        for (const [pictureType, value] of [
          ['flow', 'shot'],
          ['global', 'shot'],
          ['str', base64],
          ['env', 'M2FP_TEST_PICTURE'],
        ]) {
          const events = await start({ picture: value, pictureType });
          nodeOf('node').context().flow.set('shot', picture);
          nodeOf('node').context().global.set('shot', picture);
          assert.ok((await parsed(events, { payload: 'nothing' })).equals(picture), pictureType);
          await stopFlow();
          engine.requests.length = 0;
        }
      } finally {
        delete process.env['M2FP_TEST_PICTURE'];
      }
    });

    it('may be what preprocess made', async () => {
      const { input } = await preprocess(picture, MANIFEST.input);
      const events = await startFlow([model({ shortSide: 100 }), infer()]);
      assert.equal(await parsed(events, { payload: input }), input);
      // Its size is decided; only the message could still object.
      assert.deepEqual(engine.requests[0]!.options, { scoreThreshold: undefined });
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
        const events = await start();
        send(msg);
        await events.ended();
        assert.equal(events.sent.length, 0);
        assert.equal(events.caught.length, 1);
        const [caught] = events.caught;
        assert.equal(caught!.error.code, code);
        assert.equal(caught!.error.source.id, 'node');
        assert.equal(caught!.statusCode, statusCode);
        assert.equal(engine.requests.length, 0);
        assert.equal(events.completed.length, 0);
      });
    }

    it('whose property does not exist says which', async () => {
      const events = await start({ picture: 'a.b.c' });
      send({ payload: picture });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_NO_IMAGE');
    });

    it('does not stop the next one', async () => {
      const events = await start();
      send({ payload: null });
      send({ payload: picture });
      await events.ended(2);
      assert.equal(events.sent.length, 1);
    });
  });

  describe('options', () => {
    it('come from the model, the form and the message, the later over the earlier', async () => {
      const events = await startFlow([
        model({ shortSide: '100', longSide: '200' }),
        infer({ scoreThreshold: '0.4' }),
      ]);
      send({ payload: picture });
      send({ payload: picture, m2fp: { longSide: 300, scoreThreshold: 0.6 } });
      await events.ended(2);
      assert.deepEqual(
        engine.requests.map(({ options }) => options),
        [
          { shortSide: 100, longSide: 200, scoreThreshold: 0.4 },
          { shortSide: 100, longSide: 300, scoreThreshold: 0.6 },
        ],
      );
    });

    it('of the engine come from the model', async () => {
      const { acquired } = fakeEngines();
      const config = { source: 'folder', folder: '/models/a', threads: '3', maxQueue: 2, timeout: '1.5' };
      const events = await startFlow([model(config), infer()]);
      send({ payload: picture });
      await events.ended();
      const [options] = acquired;
      assert.deepEqual(
        [options!.model, options!.threads, options!.maxQueue, options!.timeout],
        ['/models/a', 3, 2, 1500],
      );
    });

    it('flip the picture where the form or the message says so', async () => {
      const events = await start({ flip: true });
      send({ payload: picture });
      send({ payload: picture, m2fp: { flip: false } });
      await events.ended(2);
      assert.deepEqual(
        engine.requests.map(({ options }) => options?.flip),
        [true, false],
      );
    });
  });

  describe('the queue', () => {
    const queueFor = async (properties: object, msg: NodeMessage): Promise<QueueOptions> => {
      const events = await start(properties);
      send({ payload: picture, ...msg });
      await events.ended();
      assert.deepEqual(events.caught, []);
      return engine.requests[0]!.queue!;
    };

    const DEFAULT = { lane: 'node', policy: 'wait', limit: 8, priority: 0 };
    const LATEST = { ...DEFAULT, policy: 'latest' };
    for (const [name, properties, msg, expected] of [
      ['of a new node', {}, {}, DEFAULT],
      ['without a limit of its own', { limit: '' }, {}, { ...DEFAULT, limit: 10_000 }],
      ['of the form', { policy: 'reject', limit: '3' }, {}, { ...DEFAULT, policy: 'reject', limit: 3 }],
      ['with an age in seconds', { maxAge: '0.5' }, {}, { ...DEFAULT, maxAge: 500 }],
      ['with a priority', { priority: '3' }, {}, { ...DEFAULT, priority: 3 }],
      ['without a priority', { priority: '' }, {}, { lane: 'node', policy: 'wait', limit: 8 }],
      [
        'with the message’s priority',
        { priority: 'urgent.by', priorityType: 'msg' },
        { urgent: { by: -2 } },
        { ...DEFAULT, priority: -2 },
      ],
      [
        'with no priority in the message',
        { priority: 'urgent.by', priorityType: 'msg' },
        {},
        { ...DEFAULT, priority: 0 },
      ],
      ['of the latest per topic', { policy: 'latest' }, { topic: 'a' }, { ...LATEST, key: 'a' }],
      ['of the latest without a topic', { policy: 'latest' }, {}, { ...LATEST, key: '' }],
      [
        'of the latest per another property',
        { policy: 'latest', key: 'camera.id' },
        { camera: { id: 7 }, topic: 'a' },
        { ...LATEST, key: '7' },
      ],
      ['of the latest of all', { policy: 'latest', key: 'no.such' }, { topic: 'a' }, { ...LATEST, key: '' }],
      [
        'of the message',
        { policy: 'wait', maxAge: 9, priority: 'x', priorityType: 'msg' },
        { x: 1, m2fp: { policy: 'latest', limit: 1, maxAge: 2, key: 'k', priority: 5 } },
        { ...LATEST, limit: 1, maxAge: 2000, key: 'k', priority: 5 },
      ],
    ] as [string, object, NodeMessage, QueueOptions][]) {
      it(`${name} reaches the engine`, async () => {
        assert.deepEqual(await queueFor(properties, msg), expected);
      });
    }

    it('of a node of version 1 is the one of its model, and its one output is wired as it was', async () => {
      const old = {
        id: 'node',
        type: 'm2fp-infer',
        name: '',
        model: 'model',
        configVersion: 1,
        wires: [['out']],
      };
      const events = await startFlow([
        model(),
        { ...old, picture: 'payload', pictureType: 'msg', scoreThreshold: '' },
      ]);
      send({ payload: picture, topic: {} } as unknown as NodeMessage);
      await events.ended();
      assert.equal(events.sent.length, 1);
      assert.deepEqual(engine.requests[0]!.queue, { ...DEFAULT, limit: 10_000 });
    });

    for (const [name, properties, msg, message] of [
      ['a limit that is no number', { limit: 'x' }, {}, /"limit"/],
      ['an age below 0', { maxAge: '-1' }, {}, /"maxAge"/],
      ['an unknown policy', { policy: 'some' }, {}, /"policy".*wait, latest, reject/],
      ['a priority of words', { priority: 'topic', priorityType: 'msg' }, { topic: 'high' }, /"priority"/],
      ['a key that is an object', { policy: 'latest' }, { topic: {} }, /"key".*msg\.topic/],
      ['a wrong option in the message', {}, { m2fp: { policy: 'some' } }, /"policy"/],
    ] as [string, object, NodeMessage, RegExp][]) {
      it(`refuses ${name}`, async () => {
        const events = await start(properties);
        send({ payload: picture, ...msg });
        await events.ended();
        const [{ error, statusCode }] = events.caught as [(typeof events.caught)[0]];
        assert.deepEqual([error.code, statusCode], ['M2FP_BAD_OPTION', 400]);
        assert.match(error.message, message);
      });
    }
  });

  describe('a dropped picture', () => {
    const wires = [['out'], ['out2']];

    for (const reason of ['replaced', 'expired'] as const) {
      it(`leaves by the second output, untouched but for the reason: ${reason}`, async () => {
        const events = await start({ wires });
        engine.failure = new DroppedRequest(reason);
        const msg = { payload: picture, topic: 'a', other: { deep: [1] } };
        const copy = { ...msg };
        send(msg);
        await events.until(() => events.sentOnSecondWire.length + events.caught.length > 0);
        const [{ _msgid, ...dropped }] = events.sentOnSecondWire as [NodeMessage];
        assert.deepEqual(dropped, { ...copy, dropped: reason });
        assert.equal(dropped.payload, picture);
        await events.until(() => events.done.length > 0);
        assert.deepEqual(
          events.done.map(({ code }) => code),
          [undefined],
        );
        assert.equal(events.sent.length + events.caught.length, 0);
      });
    }

    for (const [reason, code, statusCode] of [
      ['replaced', 'M2FP_BUSY', 429],
      ['expired', 'M2FP_TIMEOUT', 504],
    ] as const) {
      it(`of an HTTP client that was ${reason} ends in ${code}`, async () => {
        const events = await start({ wires });
        engine.failure = new DroppedRequest(reason);
        send({ payload: picture, res: {} });
        await events.ended();
        assert.equal(events.caught[0]!.error.code, code);
        assert.equal(events.caught[0]!.statusCode, statusCode);
        assert.equal(events.sentOnSecondWire.length, 0);
        assert.ok(!('dropped' in events.caught[0]!));
      });
    }

    it('is counted in the status, and told once', async () => {
      const told: MessageEndEvent[] = [];
      const unsubscribe = messageEvents.subscribe((event) => told.push(event));
      try {
        const events = await start({ wires });
        engine.failure = new DroppedRequest('replaced');
        send({ payload: picture });
        await events.until(() => events.statuses.some(({ text }) => text === '1 dropped'));
        send({ payload: picture });
        await events.until(() => events.statuses.some(({ text }) => text === '2 dropped'));
        assert.deepEqual(told, Array(2).fill({ node: 'm2fp-infer', fate: 'dropped' }));
      } finally {
        unsubscribe();
      }
    });
  });

  describe('msg.cancel', () => {
    const topics = (events: Events): unknown[] => events.caught.map(({ topic }) => topic);
    const startHeld = async (properties = {}): Promise<Events> => {
      const events = await start(properties);
      engine.held = true;
      for (const topic of ['a', 'b', 'a']) send({ payload: picture, topic });
      await engine.requested(3);
      return events;
    };

    it('cancels what waits and runs for its topic, and goes no further itself', async () => {
      const events = await startHeld();
      send({ cancel: true, topic: 'a' });
      await events.ended(2);
      assert.deepEqual(topics(events), ['a', 'a']);
      for (const { error, statusCode } of events.caught)
        assert.deepEqual([error.code, statusCode], ['M2FP_CANCELLED', 499]);
      assert.deepEqual(
        engine.requests.map(({ signal }) => signal!.aborted),
        [true, false, true],
      );
      engine.letGo();
      await events.ended(3);
      assert.deepEqual(
        events.sent.map(({ topic }) => topic),
        ['b'],
      );
      assert.equal(events.done.length, 4, 'the message with cancel is done too');
    });

    it('without a topic cancels all', async () => {
      const events = await startHeld();
      send({ cancel: true });
      await events.ended(3);
      assert.deepEqual(topics(events), ['a', 'b', 'a']);
    });

    it('goes by the key of the form, or of the message', async () => {
      const events = await start({ key: 'camera' });
      engine.held = true;
      send({ payload: picture, camera: 1 });
      send({ payload: picture, m2fp: { key: 'x' } });
      send({ payload: picture, topic: 'x' });
      await engine.requested(3);
      send({ cancel: true, m2fp: { key: 1 } });
      await events.ended(1);
      assert.equal(events.caught[0]!['camera'], 1);
      send({ cancel: true, camera: 'x' });
      await events.ended(2);
      assert.deepEqual(events.caught[1]!['m2fp'], { key: 'x' });
    });

    it('of anything but true is a picture like others', async () => {
      const events = await start();
      send({ payload: picture, cancel: 'true' });
      await events.ended();
      assert.equal(events.sent.length, 1);
    });

    it('of nothing does nothing', async () => {
      const events = await start();
      send({ cancel: true });
      await events.until(() => events.done.length === 1);
      assert.deepEqual(events.done[0]!.code, undefined);
      assert.equal(events.sent.length + events.caught.length, 0);
    });
  });

  describe('the engine', () => {
    for (const code of [
      'M2FP_BUSY',
      'M2FP_TIMEOUT',
      'M2FP_ENGINE_CRASHED',
      'M2FP_ENGINE_UNAVAILABLE',
    ] as const) {
      it(`that fails with ${code} is an error of the message`, async () => {
        const events = await start();
        engine.failure = new M2fpError(code, 'what to do');
        send({ payload: picture });
        await events.ended();
        const [caught] = events.caught;
        assert.equal(caught!.error.code, code);
        assert.match(caught!.error.message, /what to do/);
        assert.equal(caught!.statusCode, new M2fpError(code, '').statusCode);
      });
    }

    it('that cannot be had is asked for again with the next message', async () => {
      const events = await start();
      const acquire = engines.acquire.bind(engines);
      engines.acquire = async () => {
        throw new M2fpError('M2FP_MODEL_NOT_FOUND', 'no such folder');
      };
      send({ payload: picture });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_MODEL_NOT_FOUND');
      engines.acquire = acquire;
      send({ payload: picture });
      await events.ended(2);
      assert.equal(events.sent.length, 1);
    });

    it('missing for lack of a model: the node exists, shows it, and every message ends in an error', async () => {
      const events = await startFlow([infer({ model: '' })]);
      send({ payload: picture });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_MODEL_NOT_FOUND');
      assert.equal(events.caught[0]!.statusCode, 503);
    });
  });

  describe('the status', () => {
    const texts = (events: Events): (string | undefined)[] =>
      events.statuses.map(({ text }) =>
        text?.replace('@m2fp/node-red-human-parsing/m2fp-model:m2fp-model.', ''),
      );

    it('tells of loading, running and waiting, and then the result', async () => {
      const events = await start();
      engine.held = true;
      send({ payload: picture });
      await events.until(() => texts(events).includes('status.idle'));
      await engine.requested();
      engine.set('loading');
      await events.until(() => texts(events).includes('status.loading'));
      engine.set('running', 2);
      await events.until(() => texts(events).includes('running · 2 waiting'));
      engine.letGo();
      await events.until(() => texts(events).includes('2 persons · 1.2 s'));
      assert.deepEqual(
        events.statuses.map(({ fill, shape }) => `${fill} ${shape}`),
        ['grey ring', 'yellow ring', 'blue dot', 'green dot'],
      );
    });

    it('is red after an error, with a short text for its code', async () => {
      const events = await start();
      send({ payload: null });
      await events.until(() => texts(events).includes('error.M2FP_NO_IMAGE'));
      assert.equal(events.statuses.at(-1)!.fill, 'red');
    });
  });

  describe('closing', () => {
    it('ends all messages, the running and the waiting ones, each once', async () => {
      const events = await start();
      engine.held = true;
      for (let i = 0; i < 3; i++) send({ payload: picture, topic: String(i) });
      await engine.requested(3);
      await deploy([model(), infer({ name: 'changed' })], 'nodes');
      await events.until(() => events.caught.length >= 3);
      assert.deepEqual(
        events.caught.map(({ error, statusCode, topic }) => [error.code, statusCode, topic]),
        ['0', '1', '2'].map((topic) => ['M2FP_CANCELLED', 499, topic]),
      );
      assert.ok(engine.requests.every(({ signal }) => signal?.aborted));
      assert.deepEqual(events.sent, []);
    });

    it('and starting again in a deploy gives the engine back once, and parses on', async () => {
      const events = await start();
      engine.held = true;
      send({ payload: picture });
      await engine.requested();
      const after = await deploy([model(), infer()]);
      assert.deepEqual(
        events.done.map(({ code }) => code),
        ['M2FP_CANCELLED'],
      );
      assert.equal(engine.releases, 1);
      assert.equal(engine.subscribers, 0);
      engine.letGo();
      send({ payload: picture });
      await after.ended();
      assert.equal(after.sent.length, 1);
      assert.equal(events.sent.length, 0);
    });

    it('of this node alone leaves the model alone', async () => {
      await start();
      engine.held = true;
      send({ payload: picture });
      await engine.requested();
      await deploy([model(), infer({ name: 'changed' })], 'nodes');
      assert.equal(engine.releases, 0);
      assert.equal(engine.subscribers, 1);
      assert.deepEqual(Object.keys((nodeOf('model') as unknown as { users: object }).users), ['node']);
    });
  });
});
