/** The node while its engine fails, works and goes. */
import assert from 'node:assert/strict';
import { services } from '../../../nodes/common/services.ts';
import { M2fpError } from '../../../src/errors.ts';
import { inferNode } from '../support/infer.ts';
import { deploy, type Events, nodeOf, send, startFlow } from '../support/red.ts';

describe('m2fp-infer', () => {
  const t = inferNode();
  describe('the engine', () => {
    for (const code of [
      'M2FP_BUSY',
      'M2FP_TIMEOUT',
      'M2FP_ENGINE_CRASHED',
      'M2FP_ENGINE_UNAVAILABLE',
    ] as const) {
      it(`that fails with ${code} is an error of the message`, async () => {
        const events = await t.start();
        t.engine.failure = new M2fpError(code, 'what to do');
        send({ payload: t.image });
        await events.ended();
        const [caught] = events.caught;
        assert.equal(caught!.error.code, code);
        assert.match(caught!.error.message, /what to do/);
        assert.equal(caught!.statusCode, new M2fpError(code, '').statusCode);
      });
    }

    it('that cannot be had is asked for again with the next message', async () => {
      const events = await t.start();
      const acquire = services.acquire.bind(services);
      services.acquire = async () => {
        throw new M2fpError('M2FP_MODEL_NOT_FOUND', 'no such folder');
      };
      send({ payload: t.image });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_MODEL_NOT_FOUND');
      services.acquire = acquire;
      send({ payload: t.image });
      await events.ended(2);
      assert.equal(events.sent.length, 1);
    });

    it('whose model is disabled or gone: the node exists, shows it, and every message ends in an error', async () => {
      const events = await startFlow([t.infer({ model: 'nowhere' })]);
      send({ payload: t.image });
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
      const events = await t.start();
      t.engine.held = true;
      send({ payload: t.image });
      await events.until(() => texts(events).includes('status.idle'));
      await t.engine.requested();
      t.engine.set('loading');
      await events.until(() => texts(events).includes('status.loading'));
      t.engine.set('running', 2);
      await events.until(() => texts(events).includes('running · 2 waiting'));
      t.engine.letGo();
      await events.until(() => texts(events).includes('2 people · 1.2 s'));
      assert.deepEqual(
        events.statuses.map(({ fill, shape }) => `${fill} ${shape}`),
        ['grey ring', 'yellow ring', 'blue dot', 'green dot'],
      );
    });

    it('is red after an error, with a short text for its code', async () => {
      const events = await t.start();
      send({ payload: null });
      await events.until(() => texts(events).includes('error.M2FP_NO_IMAGE'));
      assert.equal(events.statuses.at(-1)!.fill, 'red');
    });
  });

  describe('closing', () => {
    it('ends all messages, the running and the waiting ones, each once', async () => {
      const events = await t.start();
      t.engine.held = true;
      for (let i = 0; i < 3; i++) send({ payload: t.image, topic: String(i) });
      await t.engine.requested(3);
      await deploy([t.model(), t.infer({ name: 'changed' })], 'nodes');
      await events.until(() => events.caught.length >= 3);
      assert.deepEqual(
        events.caught.map(({ error, statusCode, topic }) => [error.code, statusCode, topic]),
        ['0', '1', '2'].map((topic) => ['M2FP_CANCELLED', 499, topic]),
      );
      assert.ok(t.engine.requests.every(({ signal }) => signal?.aborted));
      assert.deepEqual(events.sent, []);
    });

    it('and starting again in a deploy gives the engine back once, and parses on', async () => {
      const events = await t.start();
      t.engine.held = true;
      send({ payload: t.image });
      await t.engine.requested();
      const after = await deploy([t.model(), t.infer()]);
      assert.deepEqual(
        events.done.map(({ code }) => code),
        ['M2FP_CANCELLED'],
      );
      assert.equal(t.engine.releases, 1);
      assert.equal(t.engine.subscribers, 0);
      t.engine.letGo();
      send({ payload: t.image });
      await after.ended();
      assert.equal(after.sent.length, 1);
      assert.equal(events.sent.length, 0);
    });

    it('of this node alone leaves the model alone', async () => {
      await t.start();
      t.engine.held = true;
      send({ payload: t.image });
      await t.engine.requested();
      await deploy([t.model(), t.infer({ name: 'changed' })], 'nodes');
      assert.equal(t.engine.releases, 0);
      assert.equal(t.engine.subscribers, 1);
      assert.deepEqual(Object.keys((nodeOf('model') as unknown as { users: object }).users), ['node']);
    });
  });
});
