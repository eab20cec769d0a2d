/** What a child process can do, and what happens to the messages then. */
import assert from 'node:assert/strict';
import type { Events } from '../nodes/support/red.ts';
import { deploy, nodeOf, send, startFlow } from '../nodes/support/red.ts';
import { nodeConfig } from '../nodes/support/flows.ts';
import { gone, leavesNothingBehind } from '../engine/support/fakes.ts';
import { type FakeChildren, fakeChildren, order, settled } from './support/fake-children.ts';

describe('a fault of the child process', () => {
  let t: FakeChildren;

  const infer = (properties = {}) => nodeConfig('m2fp-infer', 'node', { model: 'model', ...properties });
  const start = (properties = {}): Promise<Events> => startFlow([t.model(properties), infer()]);
  /** The process id of the child that works on the message sent last. */
  const working = async (): Promise<number> => {
    await settled(async () => (await t.info()).state === 'running');
    return (await t.info()).pid!;
  };
  /** Lets the pause before the next start pass. */
  const afterPause = async (ms: number): Promise<void> => {
    await t.clock.armed(ms);
    t.clock.advance(ms);
  };

  beforeEach(async () => {
    t = await fakeChildren();
  });
  afterEach(() => t.stop());
  leavesNothingBehind();

  for (const signal of ['SIGKILL', 'SIGABRT', 'SIGSEGV'] as const) {
    it(`${signal} during a run: its message fails with the reason, the waiting one goes on`, async () => {
      const events = await start();
      send({ payload: order('hang'), topic: 'first' });
      const pid = await working();
      send({ payload: order('fine'), topic: 'second' });
      await settled(async () => (await t.info()).waiting === 1);
      process.kill(pid, signal);
      await events.ended();
      const [{ error, statusCode, topic }] = events.caught as [(typeof events.caught)[0]];
      assert.deepEqual([topic, error.code, statusCode], ['first', 'M2FP_ENGINE_CRASHED', 503]);
      assert.match(error.message, new RegExp(signal));
      await afterPause(500);
      await events.ended(2);
      assert.deepEqual(
        events.sent.map(({ topic: name }) => name),
        ['second'],
      );
      assert.equal((await t.info()).restarts, 1);
    });
  }

  for (const [name, text] of [
    ['waits for something that never comes', 'hang'],
    ['calculates without end', 'spin'],
  ] as const) {
    it(`${name}: the watchdog kills it, its message fails with M2FP_TIMEOUT`, async () => {
      const events = await start({ timeout: 20 });
      send({ payload: order(text) });
      const pid = await working();
      send({ payload: order('fine') });
      await settled(async () => (await t.info()).waiting === 1);
      t.clock.advance(20_000);
      await events.ended();
      assert.deepEqual([events.caught[0]!.error.code, events.caught[0]!.statusCode], ['M2FP_TIMEOUT', 504]);
      await gone(pid);
      await events.ended(2);
      assert.equal(events.sent.length, 1);
    });
  }

  it('five crashes in a minute: red and down until a load message', async () => {
    const loader = nodeConfig('m2fp-load', 'loader', { model: 'model', wires: [['out2'], []] });
    const events = await startFlow([t.model(), infer(), loader]);
    for (const [count, pause] of [0, 500, 1000, 2000, 4000].entries()) {
      send({ payload: order(`exit ${count}`) });
      if (pause > 0) await afterPause(pause);
      await events.ended(count + 1);
    }
    assert.equal((await t.info()).state, 'failed');
    await events.until(() => events.statuses.at(-1)!.fill === 'red');
    send({ payload: order('fine') });
    await events.ended(6);
    assert.deepEqual(
      events.caught.map(({ error }) => error.code),
      Array(6).fill('M2FP_ENGINE_CRASHED'),
    );
    assert.match(events.caught[5]!.error.message, /stays down/);
    nodeOf('loader').receive({});
    await events.until(() => events.sentOnSecondWire.length === 1);
    send({ payload: order('fine') });
    await events.ended(7);
    assert.equal(events.sent.length, 1);
  });

  it('a picture that kills it twice is refused the third time', async () => {
    const events = await start();
    for (const count of [1, 2]) {
      send({ payload: order('kill') });
      if (count === 2) await afterPause(500);
      await events.ended(count);
    }
    send({ payload: order('kill') });
    await events.ended(3);
    assert.deepEqual(
      events.caught.map(({ error }) => error.code),
      ['M2FP_ENGINE_CRASHED', 'M2FP_ENGINE_CRASHED', 'M2FP_BAD_IMAGE'],
    );
  });

  it('more memory than it may take: it is replaced', async () => {
    const events = await start({ maxMemory: 100 });
    send({ payload: order('rss 200') });
    const pid = await working();
    await events.ended();
    send({ payload: order('fine') });
    await events.ended(2);
    await gone(pid);
    assert.notEqual((await t.info()).pid, pid);
  });

  it('a redeploy during a run: the message ends, the next one has the same loaded model', async () => {
    const events = await start();
    send({ payload: order('hold') });
    const pid = await working();
    const after = await deploy([t.model(), infer({ name: 'changed' })]);
    assert.deepEqual(
      events.done.map(({ code }) => code),
      ['M2FP_CANCELLED'],
    );
    process.kill(pid, 'SIGUSR2');
    send({ payload: order('fine') });
    await after.ended();
    assert.equal(after.sent.length, 1);
    const info = await t.info();
    assert.deepEqual([info.pid, info.restarts], [pid, 0]);
  });
});
