import assert from 'node:assert/strict';
import { Listeners, MemoizedPromise, raceSignal, sleep } from '../src/async.ts';

describe('raceSignal', () => {
  it('gives the result, with and without a signal', async () => {
    assert.equal(await raceSignal(Promise.resolve(1)), 1);
    assert.equal(await raceSignal(Promise.resolve(2), new AbortController().signal), 2);
    await assert.rejects(raceSignal(Promise.reject(new Error('own')), new AbortController().signal), /own/);
  });

  it('rejects with the reason at once, and swallows what the work comes to later', async () => {
    const abort = new AbortController();
    let reject = (_reason: Error): void => {};
    const promise = new Promise<never>((_resolve, fail) => {
      reject = fail;
    });
    const raced = raceSignal(promise, abort.signal);
    abort.abort(new Error('enough'));
    await assert.rejects(raced, /enough/);
    reject(new Error('late'));
    await assert.rejects(raceSignal(promise, abort.signal), /enough/);
  });
});

describe('sleep', () => {
  it('ends by the clock', async () => {
    let ring = (): void => {};
    const clock = {
      now: () => 0,
      after: (ms: number, callback: () => void) => {
        assert.equal(ms, 50);
        ring = callback;
        return { cancel: () => {} };
      },
    };
    const sleeping = sleep(50, { clock });
    ring();
    await sleeping;
  });

  it('ends with the signal, and leaves no timer', async () => {
    let cancelled = 0;
    const clock = { now: () => 0, after: () => ({ cancel: () => void cancelled++ }) };
    const abort = new AbortController();
    const sleeping = sleep(1e6, { clock, signal: abort.signal });
    abort.abort(new Error('enough'));
    await assert.rejects(sleeping, /enough/);
    await assert.rejects(sleep(1e6, { clock, signal: abort.signal }), /enough/);
    assert.equal(cancelled, 1);
  });
});

describe('MemoizedPromise', () => {
  it('works once, and again after a failure or when it was forgotten', async () => {
    const memo = new MemoizedPromise<number>();
    let runs = 0;
    const work = async (): Promise<number> => ++runs;
    assert.deepEqual([await memo.get(work), await memo.get(work)], [1, 1]);
    assert.equal(await memo.forget(), 1);
    assert.equal(memo.forget(), undefined);
    await assert.rejects(memo.get(() => Promise.reject(new Error('no'))));
    assert.equal(await memo.get(work), 2);
  });
});

describe('Listeners', () => {
  it('are told until they leave, and do not disturb one another', async () => {
    const listeners = new Listeners<number>();
    const told: number[] = [];
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const listener = (event: number): void => void told.push(event);
    listeners.add(() => {
      throw new Error('fault of a listener');
    });
    const end = listeners.add(listener);
    listeners.add(listener);
    listeners.notify(1);
    end();
    listeners.notify(2);
    assert.deepEqual(told, [1, 1, 2]);
    assert.match((await warned).message, /fault of a listener/);
    assert.equal(listeners.size, 2);
  });
});
