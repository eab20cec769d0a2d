/** What every store of jobs does. */
import assert from 'node:assert/strict';
import { failed } from '../../../../src/service/jobs/outcomes.ts';
import {
  type Claim,
  type JobLimits,
  type JobOutcome,
  type JobStore,
  MAX_ATTEMPTS,
  MAX_DEATHS,
  type NewJob,
} from '../../../../src/service/jobs/types.ts';

export const LIMITS: JobLimits = { maxJobs: 100, maxBytes: 2 ** 24, retention: 60_000, maxWait: 60_000 };

export const jobOf = (text: string, more: Partial<NewJob> = {}): NewJob => ({
  image: Buffer.from(text),
  message: { about: text },
  webhook: null,
  owner: null,
  once: null,
  ...more,
});

export const resultOf = (text: string): JobOutcome => ({
  state: 'done',
  result: { statusCode: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.from(text) },
});

export async function claimed(store: JobStore): Promise<Claim> {
  return (await store.claim()) ?? assert.fail('nothing to claim');
}

/**
 * @param open opens the same store once more, as another process would
 * @param pass lets so many milliseconds of the stores' time pass
 * @param die leaves a job as a process does that is killed while it is at it
 */
export function describeStore(
  open: (limits?: Partial<JobLimits>) => Promise<JobStore>,
  pass: (ms: number) => Promise<void>,
  die: (id: string) => Promise<void>,
): void {
  it('keeps a job with its place in line until it is claimed', async () => {
    const store = await open();
    const first = await store.add(jobOf('one'));
    const second = await store.add(jobOf('two', { webhook: 'https://example.org/' }));
    assert.deepEqual([first.state, first.place, second.place], ['queued', 1, 2]);
    const claim = await claimed(store);
    assert.deepEqual(
      [claim.id, claim.image.toString(), claim.message, claim.attempts],
      [first.id, 'one', { about: 'one' }, 1],
    );
    assert.equal((await store.get(first.id))?.state, 'running');
    const told = await store.get(second.id);
    assert.deepEqual([told?.state, told?.place, told?.webhook], ['queued', 1, 'https://example.org/']);
    const { queued, running, ended, oldest } = await store.counts();
    assert.deepEqual({ queued, running, ended }, { queued: 1, running: 1, ended: 0 });
    assert.equal(oldest, told?.created);
  });

  it('gives no job to two at once', async () => {
    const [here, there] = [await open(), await open()];
    for (let n = 0; n < 12; n++) await here.add(jobOf(`${n}`));
    const claims = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? here : there).claim()));
    const ids = claims.flatMap((claim) => (claim ? [claim.id] : []));
    assert.equal(new Set(ids).size, ids.length);
    for (let claim = await here.claim(); claim; claim = await here.claim()) ids.push(claim.id);
    assert.equal(new Set(ids).size, 12);
    assert.equal(ids.length, 12);
  });

  it('writes an outcome once, and keeps its result without the picture', async () => {
    const [here, there] = [await open(), await open()];
    const { id } = await here.add(jobOf('a picture'));
    await claimed(here);
    const written = await Promise.all([
      here.end(id, resultOf('first')),
      there.end(id, failed('M2FP_BAD_IMAGE', 'second')),
      here.end(id, resultOf('third')),
    ]);
    assert.equal(written.filter(Boolean).length, 1);
    const job = await there.get(id);
    assert.deepEqual([job?.place, job?.attempts], [null, 1]);
    assert.ok(job!.ended! >= job!.started!);
    assert.equal(job!.expires, job!.ended! + LIMITS.retention);
    if (job!.state === 'done') assert.ok(['first', 'third'].includes(String((await here.result(id))?.body)));
    else assert.equal(job!.failure?.message, 'second');
    assert.equal(await here.claim(), undefined);
    assert.ok((await here.counts()).bytes < 'a picture'.length);
  });

  it('tells what came of it', async () => {
    const store = await open();
    const { id } = await store.add(jobOf('a picture'));
    await claimed(store);
    assert.equal(await store.result(id), undefined);
    assert.equal(await store.end(id, resultOf('what came of it')), true);
    const job = await store.get(id);
    assert.deepEqual([job?.state, job?.result], ['done', { type: 'text/plain', bytes: 15 }]);
    const result = await store.result(id);
    assert.deepEqual(
      [result?.statusCode, result?.headers, String(result?.body)],
      [200, { 'content-type': 'text/plain' }, 'what came of it'],
    );
    await store.forget(id);
    assert.equal(await store.get(id), undefined);
    assert.deepEqual(await store.counts(), { queued: 0, running: 0, ended: 0, bytes: 0, oldest: null });
  });

  it('puts a job back into its place, and gives it up after some tries', async () => {
    const store = await open();
    const { id } = await store.add(jobOf('one'));
    await store.add(jobOf('two'));
    await (await claimed(store)).release(false);
    for (let n = 1; n <= MAX_ATTEMPTS; n++) {
      const claim = await claimed(store);
      assert.deepEqual([claim.id, claim.attempts, claim.crashes], [id, n, n - 1]);
      await claim.release(true);
    }
    assert.notEqual((await claimed(store)).id, id);
    const job = await store.get(id);
    assert.deepEqual([job?.state, job?.failure?.code], ['failed', 'M2FP_ENGINE_CRASHED']);
    assert.match(job!.failure!.message, new RegExp(`\\b${MAX_ATTEMPTS} times\\b`));
  });

  it('tries a job again whose process ended, more often than one over which the engine did, but not for ever', async () => {
    const { id } = await (await open()).add(jobOf('one'));
    for (let n = 1; n <= MAX_DEATHS; n++) {
      const store = await open();
      const claim = await claimed(store);
      assert.deepEqual([claim.id, claim.attempts, claim.crashes], [id, n, 0]);
      await die(id);
    }
    const store = await open();
    assert.equal(await store.claim(), undefined);
    const { failure, attempts } = (await store.get(id))!;
    assert.equal(failure?.code, 'M2FP_ENGINE_CRASHED');
    assert.match(failure.message, new RegExp(`tried ${MAX_DEATHS} times`));
    assert.ok(attempts >= MAX_DEATHS);
  });

  it('tells who is at a job that it was taken back', async () => {
    const store = await open();
    const { id } = await store.add(jobOf('one'));
    const claim = await claimed(store);
    assert.equal(await store.end(id, failed('M2FP_CANCELLED', 'taken back')), true);
    assert.ok(claim.lost.aborted);
    assert.equal(await store.end(id, resultOf('too late')), false);
    assert.equal((await store.get(id))?.failure?.message, 'taken back');
  });

  it('accepts no more than it may keep', async () => {
    const store = await open({ maxJobs: 2, maxBytes: 1000 });
    const busy = { code: 'M2FP_BUSY' };
    await assert.rejects(store.add(jobOf('x'.repeat(1001))), busy);
    const added = await Promise.allSettled(Array.from({ length: 6 }, () => store.add(jobOf('x'))));
    assert.equal(added.filter(({ status }) => status === 'fulfilled').length, 2);
    await claimed(store);
    await assert.rejects(store.add(jobOf('x')), busy);
    const { id } = await claimed(store);
    await store.end(id, resultOf('y'.repeat(999)));
    await assert.rejects(store.add(jobOf('x')), busy);
    await store.forget(id);
    await store.add(jobOf('x'));
  });

  it('forgets outcomes, and ends what waits for too long', async () => {
    const store = await open({ retention: 300, maxWait: 600 });
    const done = await store.add(jobOf('done'));
    await claimed(store);
    await store.end(done.id, resultOf('done'));
    const waiting = await store.add(jobOf('waiting'));
    await pass(400);
    assert.equal(await store.get(done.id), undefined);
    assert.equal(await store.result(done.id), undefined);
    await store.sweep();
    assert.equal((await store.get(waiting.id))?.state, 'queued');
    await pass(300);
    await store.sweep();
    assert.equal((await store.get(waiting.id))?.state, 'expired');
    assert.equal(await store.claim(), undefined);
    await pass(400);
    await store.sweep();
    assert.deepEqual(await store.counts(), { queued: 0, running: 0, ended: 0, bytes: 0, oldest: null });
  });

  it('has each webhook called by one, and again where it is told so', async () => {
    const [here, there] = [await open(), await open()];
    const { id } = await here.add(jobOf('one', { webhook: 'https://example.org/' }));
    await here.add(jobOf('two'));
    assert.equal(await here.delivery(), undefined);
    await here.end((await claimed(here)).id, resultOf('one'));
    await here.end((await claimed(here)).id, resultOf('two'));
    const deliveries = [await here.delivery(), await there.delivery(), await here.delivery()];
    const [delivery, ...others] = deliveries.filter((one) => one !== undefined);
    assert.deepEqual([delivery?.job.id, delivery?.url, delivery?.attempts], [id, 'https://example.org/', 0]);
    assert.deepEqual(others, []);
    await delivery!.retry(Date.now() + 200, true);
    assert.equal(await there.delivery(), undefined);
    await pass(300);
    const second = await there.delivery();
    assert.equal(second?.attempts, 1);
    await second.retry(Date.now() - 1000, false);
    const again = await here.delivery();
    assert.equal(again?.attempts, 1);
    await again.finish();
    await pass(300);
    assert.equal(await here.delivery(), undefined);
    assert.equal(await there.delivery(), undefined);
  });

  it('keeps once what is sent under one key, as long as it keeps that', async () => {
    const [here, there] = [await open({ maxJobs: 2 }), await open({ maxJobs: 2 })];
    const once = (digest: string): Partial<NewJob> => ({ once: { key: 'a key', digest } });
    const added = await Promise.all(
      Array.from({ length: 6 }, (_, n) => (n % 2 ? here : there).add(jobOf('one', once('one')))),
    );
    assert.equal(new Set(added.map(({ id }) => id)).size, 1);
    assert.equal(added.filter(({ isAgain }) => !isAgain).length, 1);
    const { id } = added[0]!;
    const reused = { code: 'M2FP_KEY_REUSED', statusCode: 422 };
    await assert.rejects(there.add(jobOf('two', once('two'))), reused);
    await here.add(jobOf('another'));
    // It takes no more, and what it has it needs not take.
    assert.deepEqual(
      [(await there.add(jobOf('one', once('one')))).id, (await there.counts()).queued],
      [id, 2],
    );
    await claimed(here);
    assert.equal((await there.add(jobOf('one', once('one')))).state, 'running');
    await here.end(id, resultOf('one'));
    const ended = await (await open()).add(jobOf('one', once('one')));
    assert.deepEqual([ended.id, ended.state, ended.isAgain], [id, 'done', true]);
    await assert.rejects(here.add(jobOf('two', once('two'))), reused);
    await there.forget(id);
    const other = await here.add(jobOf('two', once('two')));
    assert.equal(other.isAgain, false);
    await assert.rejects(there.add(jobOf('one', once('one'))), reused);
  });

  it('forgets a key with its job', async () => {
    const store = await open({ retention: 300 });
    const once = { key: 'a key', digest: 'one' };
    const { id } = await store.add(jobOf('one', { once }));
    await claimed(store);
    await store.end(id, resultOf('one'));
    await pass(400);
    const again = await store.add(jobOf('one', { once }));
    assert.deepEqual([again.isAgain, again.state], [false, 'queued']);
    await store.sweep();
    assert.equal((await store.add(jobOf('one', { once }))).id, again.id);
  });

  it('keeps whose a job is', async () => {
    const store = await open();
    const owned = await store.add(jobOf('one', { owner: 'somebody' }));
    const { id } = await store.add(jobOf('two'));
    assert.equal(owned.owner, 'somebody');
    const owners = async () => [(await store.get(owned.id))?.owner, (await store.get(id))?.owner];
    assert.deepEqual(await owners(), ['somebody', null]);
    await claimed(store);
    assert.deepEqual(await owners(), ['somebody', null]);
    await store.end(owned.id, resultOf('one'));
    assert.deepEqual(await owners(), ['somebody', null]);
  });

  it('tells that something is to do', async () => {
    const store = await open();
    const told = new Promise<void>((resolve) => store.subscribe(resolve));
    await store.add(jobOf('one'));
    await told;
  });

  it('knows nothing of names that are no ids', async () => {
    const store = await open();
    for (const id of ['', '../../etc/passwd', 'x', '00000000-0000-7000-8000-00000000000/']) {
      assert.equal(await store.get(id), undefined);
      assert.equal(await store.result(id), undefined);
      assert.equal(await store.end(id, resultOf('x')), false);
      await store.forget(id);
    }
  });
}
