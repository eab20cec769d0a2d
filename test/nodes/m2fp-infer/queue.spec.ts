/** What waits at the engine: its place in line, what is dropped, and what is cancelled. */
import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import { DroppedRequest } from '../../../src/engine/queue/dropped.ts';
import { type MessageEndEvent, messageEvents } from '../../../src/engine/events.ts';
import type { QueueOptions } from '../../../src/engine/types.ts';
import { inferNode } from '../support/infer.ts';
import { type Events, send, startFlow } from '../support/red.ts';

describe('m2fp-infer', () => {
  const t = inferNode();
  describe('the queue', () => {
    const queueFor = async (properties: object, msg: NodeMessage): Promise<QueueOptions> => {
      const events = await t.start(properties);
      send({ payload: t.image, ...msg });
      await events.ended();
      assert.deepEqual(events.caught, []);
      return t.engine.requests[0]!.queue!;
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
      [
        'of the latest per topic that is a number',
        { policy: 'latest' },
        { topic: 5 },
        { ...LATEST, key: '5' },
      ],
      [
        'of the latest per key of the message that is a number',
        { policy: 'latest' },
        { topic: 'a', m2fp: { key: 5 } },
        { ...LATEST, key: '5' },
      ],
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
        const { maxAge = 0, ...queue } = await queueFor(properties, msg);
        const { maxAge: given = 0, ...rest } = expected;
        assert.deepEqual(queue, rest);
        // The time that the message has waited before it came to the engine counts.
        if (given === 0) assert.equal(maxAge, 0);
        else assert.ok(maxAge > 0 && maxAge <= given, `${maxAge} of ${given} ms are left`);
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
        t.model(),
        { ...old, picture: 'payload', pictureType: 'msg', scoreThreshold: '' },
      ]);
      send({ payload: t.image, topic: {} } as unknown as NodeMessage);
      await events.ended();
      assert.equal(events.sent.length, 1);
      assert.deepEqual(t.engine.requests[0]!.queue, { ...DEFAULT, limit: 10_000 });
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
        const events = await t.start(properties);
        send({ payload: t.image, ...msg });
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
        const events = await t.start({ wires });
        t.engine.failure = new DroppedRequest(reason);
        const msg = { payload: t.image, topic: 'a', other: { deep: [1] } };
        const copy = { ...msg };
        send(msg);
        await events.until(() => events.sentOnSecondWire.length + events.caught.length > 0);
        const [{ _msgid, ...dropped }] = events.sentOnSecondWire as [NodeMessage];
        assert.deepEqual(dropped, { ...copy, dropped: reason });
        assert.equal(dropped.payload, t.image);
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
        const events = await t.start({ wires });
        t.engine.failure = new DroppedRequest(reason);
        send({ payload: t.image, res: {} });
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
        const events = await t.start({ wires });
        t.engine.failure = new DroppedRequest('replaced');
        send({ payload: t.image });
        await events.until(() => events.statuses.some(({ text }) => text === '1 dropped'));
        send({ payload: t.image });
        await events.until(() => events.statuses.some(({ text }) => text === '2 dropped'));
        assert.deepEqual(told, [
          { type: 'm2fp-infer', node: 'node', fate: 'dropped' },
          { type: 'm2fp-infer', node: 'node', fate: 'dropped' },
        ]);
      } finally {
        unsubscribe();
      }
    });
  });

  describe('msg.cancel', () => {
    const topics = (events: Events): unknown[] => events.caught.map(({ topic }) => topic);
    const startHeld = async (properties = {}): Promise<Events> => {
      const events = await t.start(properties);
      t.engine.held = true;
      for (const topic of ['a', 'b', 'a']) send({ payload: t.image, topic });
      await t.engine.requested(3);
      return events;
    };

    it('takes a number for its text', async () => {
      const events = await t.start();
      t.engine.held = true;
      for (const topic of ['5', 5, '05']) send({ payload: t.image, topic } as unknown as NodeMessage);
      await t.engine.requested(3);
      send({ cancel: true, topic: 5 } as unknown as NodeMessage);
      await events.ended(2);
      assert.deepEqual(topics(events), ['5', 5]);
      send({ cancel: true, topic: '05' });
      await events.ended(3);
    });

    it('cancels what waits and runs for its topic, and goes no further itself', async () => {
      const events = await startHeld();
      send({ cancel: true, topic: 'a' });
      await events.ended(2);
      assert.deepEqual(topics(events), ['a', 'a']);
      for (const { error, statusCode } of events.caught)
        assert.deepEqual([error.code, statusCode], ['M2FP_CANCELLED', 499]);
      assert.deepEqual(
        t.engine.requests.map(({ signal }) => signal!.aborted),
        [true, false, true],
      );
      t.engine.letGo();
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
      const events = await t.start({ key: 'camera' });
      t.engine.held = true;
      send({ payload: t.image, camera: 1 });
      send({ payload: t.image, m2fp: { key: 'x' } });
      send({ payload: t.image, topic: 'x' });
      await t.engine.requested(3);
      send({ cancel: true, m2fp: { key: 1 } });
      await events.ended(1);
      assert.equal(events.caught[0]!['camera'], 1);
      send({ cancel: true, camera: 'x' });
      await events.ended(2);
      assert.deepEqual(events.caught[1]!['m2fp'], { key: 'x' });
    });

    it('of anything but true is a picture like others', async () => {
      const events = await t.start();
      send({ payload: t.image, cancel: 'true' });
      await events.ended();
      assert.equal(events.sent.length, 1);
    });

    it('of nothing does nothing', async () => {
      const events = await t.start();
      send({ cancel: true });
      await events.until(() => events.done.length === 1);
      assert.deepEqual(events.done[0]!.code, undefined);
      assert.equal(events.sent.length + events.caught.length, 0);
    });
  });
});
