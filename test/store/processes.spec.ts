import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { openStore } from '../../src/store/store.ts';
import { CHECKPOINT, MODEL_ID, stallAt } from './support/hub.ts';
import type { PullerMessage } from './support/puller.ts';
import { bench } from './support/pulling.ts';

describe('pulling from several processes', () => {
  const t = bench();
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  function puller(onMessage: (message: PullerMessage) => void = () => {}) {
    const options = JSON.stringify({ id: MODEL_ID, root: t.root, baseUrl: t.hub.url });
    const child = fork(join(import.meta.dirname, 'support', 'puller.ts'), [options]);
    children.push(child);
    const ended = new Promise<PullerMessage>((resolve, reject) => {
      child.on('message', (message: PullerMessage) => {
        onMessage(message);
        if (message.type !== 'progress') resolve(message);
      });
      child.on('exit', (code, signal) => reject(new Error(`The puller ended: ${code ?? signal}`)));
    });
    // A puller that is killed has nobody who waits for it.
    ended.catch(() => {});
    return { child, ended };
  }

  async function kill(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  it('downloads and converts once for two that ask at the same time', async () => {
    let waiting: () => void = () => {};
    const second = new Promise<void>((resolve) => (waiting = resolve));
    // The first one gets its checkpoint when the other one waits for it.
    t.hub.next(CHECKPOINT, (request, response: ServerResponse, bytes) => {
      void second.then(() => t.hub.serve(request, response, bytes));
    });
    const onMessage = (message: PullerMessage) => {
      if (message.type === 'progress' && message.phase === 'wait') waiting();
    };
    const answers = await Promise.all([puller(onMessage).ended, puller(onMessage).ended]);
    const done = answers.flatMap((answer) => (answer.type === 'done' ? [answer] : []));
    assert.equal(done.length, 2, JSON.stringify(answers));
    assert.equal(done[0]?.digest, done[1]?.digest);
    assert.equal(done.filter(({ made }) => made).length, 1);
    assert.equal(t.hub.of(CHECKPOINT).length, 1);
    assert.equal(t.hub.of('list').length, 1);
    await openStore(t.root).verify(MODEL_ID);
  });

  it('goes on after one that was killed in its download', async () => {
    t.hub.next(CHECKPOINT, stallAt(0.37));
    const part = t.hub.checkpoint.bytes.length * 0.2;
    await new Promise<void>((resolve) => {
      const { child } = puller((message) => {
        if (message.type !== 'progress' || message.file !== CHECKPOINT || message.received <= part) return;
        void kill(child).then(resolve);
      });
    });
    assert.equal(await openStore(t.root).find(MODEL_ID), undefined);
    const answer = await puller().ended;
    assert.equal(answer.type, 'done');
    assert.equal(t.hub.of(CHECKPOINT).length, 2);
    const start = Number(/^bytes=(\d+)-$/.exec(t.hub.of(CHECKPOINT)[1]?.range ?? '')?.[1]);
    assert.ok(start > part, `begun at ${start}`);
    await openStore(t.root).verify(MODEL_ID);
    assert.deepEqual(readdirSync(join(t.root, '.partial')), []);
  });

  it('goes on after one that was killed in its conversion', async () => {
    const converting = new Promise<void>((resolve) => {
      const { child } = puller((message) => {
        if (message.type === 'progress' && message.phase === 'convert') void kill(child).then(resolve);
      });
    });
    await converting;
    assert.equal(existsSync(join(t.root, ...MODEL_ID.split('/'))), false);
    const answer = await puller().ended;
    assert.equal(answer.type, 'done');
    assert.equal(t.hub.of(CHECKPOINT).length, 1);
    await openStore(t.root).verify(MODEL_ID);
    assert.deepEqual(readdirSync(join(t.root, '.partial')), []);
  });
});
