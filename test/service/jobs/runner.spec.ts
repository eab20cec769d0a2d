/** What sends pictures into a flow, and what becomes of those that do not come back as they should. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failed } from '../../../src/service/jobs/outcomes.ts';
import { JobRunner } from '../../../src/service/jobs/runner.ts';
import { SpoolStore } from '../../../src/service/jobs/spool/spool-store.ts';
import { type Claim, type Job, MAX_ATTEMPTS } from '../../../src/service/jobs/types.ts';
import { FakeClock } from '../../engine/support/fakes.ts';
import { jobOf, LIMITS, resultOf } from './support/store-contract.ts';

describe('the runner of jobs', () => {
  let folder: string;
  let store: SpoolStore;
  let clock: FakeClock;
  let runner: JobRunner;
  let sent: { claim: Claim; run: number }[];
  let errors: unknown[];
  let isDown: boolean;
  let onSent: () => void;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'm2fp-runner-'));
    store = await SpoolStore.open(folder, LIMITS);
    clock = new FakeClock();
    [sent, errors, onSent, isDown] = [[], [], () => {}, false];
    runner = new JobRunner({
      store,
      inFlight: 2,
      timeout: 60_000,
      send(claim, run) {
        sent.push({ claim, run });
        onSent();
      },
      isDown: async () => isDown,
      onError: (error) => errors.push(error),
      clock,
    });
  });
  afterEach(async () => {
    await runner.stop();
    await store.close();
    await rm(folder, { recursive: true });
  });

  /** The `count`th picture that was sent. */
  const sentAs = async (count: number) => {
    while (sent.length < count) await new Promise<void>((resolve) => (onSent = resolve));
    return sent[count - 1]!;
  };
  const become = async (id: string, state: Job['state']): Promise<Job> => {
    for (;;) {
      const job = await store.get(id);
      if (job?.state === state) return job;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('sends nothing before it is started', async () => {
    const { id } = await store.add(jobOf('one'));
    assert.equal((await store.get(id))?.state, 'queued');
    runner.start();
    assert.equal((await sentAs(1)).claim.id, id);
  });

  it('fails what does not come back in time, and goes on', async () => {
    runner.start();
    const { id } = await store.add(jobOf('one'));
    const { run } = await sentAs(1);
    clock.advance(60_000);
    const { failure } = await become(id, 'failed');
    assert.equal(failure?.code, 'M2FP_TIMEOUT');
    assert.match(failure.message, /60 seconds/);
    assert.equal(await runner.end(id, run, resultOf('late')), false);
    await store.add(jobOf('two'));
    assert.equal((await sentAs(2)).claim.image.toString(), 'two');
  });

  for (const [code, attempts] of [
    ['M2FP_BUSY', 1],
    ['M2FP_ENGINE_UNAVAILABLE', 1],
    ['M2FP_MODEL_NOT_FOUND', 1],
    ['M2FP_MODEL_INVALID', 1],
    ['M2FP_CHECKPOINT_INVALID', 1],
    ['M2FP_DOWNLOAD_FAILED', 1],
    ['M2FP_CANCELLED', 2],
    ['M2FP_ENGINE_CRASHED', 2],
  ] as const) {
    it(`sends what ends in ${code} once more after a while, as try ${attempts}`, async () => {
      runner.start();
      const { id } = await store.add(jobOf('one'));
      const { run } = await sentAs(1);
      assert.equal(await runner.end(id, run, failed(code, 'not now')), false);
      assert.equal((await store.get(id))?.state, 'queued');
      assert.equal(sent.length, 1);
      clock.advance(2000);
      const again = await sentAs(2);
      assert.deepEqual([again.claim.id, again.claim.attempts], [id, attempts]);
      // What the run before says now counts only where it is a result.
      assert.equal(await runner.end(id, run, failed('M2FP_BAD_IMAGE', 'late')), false);
      assert.equal(await runner.end(id, run, resultOf('late')), true);
      assert.equal(await runner.end(id, again.run, resultOf('again')), false);
      assert.equal(String((await store.result(id))?.body), 'late');
    });
  }

  it('does not count a try that the engine did not look at, because it is down', async () => {
    runner.start();
    await store.add(jobOf('one'));
    isDown = true;
    for (let n = 1; n <= 7; n++) {
      const { claim, run } = await sentAs(n);
      assert.equal(claim.attempts, 1);
      assert.equal(await runner.end(claim.id, run, failed('M2FP_ENGINE_CRASHED', 'it rests')), false);
      clock.advance(2000);
    }
  });

  it('gives up a picture over which the engine ended as often as a job is tried, and says how often', async () => {
    runner.start();
    const { id } = await store.add(jobOf('one'));
    for (let n = 1; n <= MAX_ATTEMPTS; n++) {
      const { run } = await sentAs(n);
      const ends = await runner.end(id, run, failed('M2FP_ENGINE_CRASHED', 'gone'));
      assert.equal(ends, n === MAX_ATTEMPTS);
      clock.advance(2000);
    }
    const { failure, attempts } = await become(id, 'failed');
    assert.deepEqual([failure?.code, attempts], ['M2FP_ENGINE_CRASHED', MAX_ATTEMPTS]);
    assert.match(failure!.message, new RegExp(`tried ${MAX_ATTEMPTS} times`));
  });

  it('says after how many tries a job failed', async () => {
    runner.start();
    const { id } = await store.add(jobOf('one'));
    await runner.end(id, (await sentAs(1)).run, failed('M2FP_ENGINE_CRASHED', 'gone'));
    clock.advance(2000);
    await runner.end(id, (await sentAs(2)).run, failed('M2FP_BAD_IMAGE', 'It has crashed the engine.'));
    const { failure } = await become(id, 'failed');
    assert.deepEqual(
      [failure?.code, failure?.message],
      ['M2FP_BAD_IMAGE', 'It has crashed the engine. (After 2 tries.)'],
    );
  });

  it('says so where there is no room for a result', async () => {
    runner.start();
    const { id } = await store.add(jobOf('one'));
    const { run } = await sentAs(1);
    const end = store.end.bind(store);
    store.end = async (job, outcome) => {
      if (outcome.state === 'done') throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      return end(job, outcome);
    };
    assert.equal(await runner.end(id, run, resultOf('a result')), true);
    assert.equal((await store.get(id))?.failure?.code, 'M2FP_NOT_KEPT');
    assert.equal(errors.length, 1);
  });

  it('does a job once more where there is no room for any outcome', async () => {
    runner.start();
    const { id } = await store.add(jobOf('one'));
    const { run } = await sentAs(1);
    const end = store.end.bind(store);
    store.end = () => Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
    assert.equal(await runner.end(id, run, resultOf('a result')), false);
    store.end = end;
    const again = await sentAs(2);
    assert.equal(await runner.end(id, again.run, resultOf('a result')), true);
  });

  it('puts back what is in the flow when it stops', async () => {
    runner.start();
    const { id } = await store.add(jobOf('one'));
    await sentAs(1);
    await runner.stop();
    const job = await store.get(id);
    assert.deepEqual([job?.state, job?.attempts], ['queued', 0]);
  });
});
