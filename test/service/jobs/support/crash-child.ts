/**
 * A process that accepts jobs and does them, until it is killed. What it has told with its lines holds for ever: `accepted ID`,
 * `ended ID`. With `drain`, it accepts none, and ends when all have an outcome.
 */
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { JobRunner } from '../../../../src/service/jobs/runner.ts';
import { SpoolStore } from '../../../../src/service/jobs/spool/spool-store.ts';

const [folder = '', mode = ''] = process.argv.slice(2);
const limits = { maxJobs: 10_000, maxBytes: 2 ** 30, retention: 600_000, maxWait: 600_000 };
// Synchronous, so that nothing that was told waits in this process when it is killed.
const tell = (text: string): void => void writeSync(1, `${text}\n`);

/** What is being done. */
const works = new Set<Promise<void>>();
const store = await SpoolStore.open(folder, limits);
const runner = new JobRunner({
  store,
  inFlight: 2,
  timeout: 60_000,
  send({ id, image }, run) {
    const work = async (): Promise<void> => {
      await pause(Math.random() * 10);
      const body = createHash('sha256').update(image).digest();
      const result = { statusCode: 200, headers: {}, body };
      if (await runner.end(id, run, { state: 'done', result })) tell(`ended ${id}`);
    };
    const working = work().finally(() => works.delete(working));
    works.add(working);
  },
  isDown: async () => false,
  onError(error) {
    tell(`error ${String(error)}`);
  },
});
runner.start();
tell('started');
if (mode === 'drain') {
  for (;;) {
    const { queued, running } = await store.counts();
    if (queued + running === 0) break;
    await pause(20);
  }
  // The outcome is kept a little before whoever wrote it can tell so.
  await Promise.all(works);
  await runner.stop();
  await store.close();
  tell('drained');
} else {
  const clients = Array.from({ length: 3 }, async () => {
    for (let n = 0; ; n++) {
      const image = Buffer.alloc(1 + Math.floor(Math.random() * 100_000), `${process.pid}-${n}`);
      const digest = createHash('sha256').update(image).digest('hex');
      const { id } = await store.add({ image, message: { digest }, webhook: null, owner: null, once: null });
      tell(`accepted ${id} ${digest}`);
      await pause(Math.random() * 20);
    }
  });
  await Promise.all(clients);
}
