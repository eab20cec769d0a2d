/** Processes with a spool of jobs that are killed at any moment. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SpoolStore } from '../../../src/service/jobs/spool/spool-store.ts';
import { LIMITS } from './support/store-contract.ts';

/** How often a process is killed; more of it shows more. */
const ROUNDS = Number(process.env['M2FP_CRASHES'] ?? 8);
const SEED = Number(process.env['M2FP_SEED'] ?? 23);

/** Numbers from 0 to 1 that are the same each time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a spool of jobs whose process is killed', function () {
  this.timeout(30_000 + ROUNDS * 5000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'm2fp-crash-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Starts a process, and kills it so many milliseconds after it has started; without them, waits for its end. */
  async function run(mode: string, ms?: number): Promise<string[]> {
    const program = join(import.meta.dirname, 'support', 'crash-child.ts');
    const child = spawn(process.execPath, ['--no-warnings', program, folder, mode], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
    if (ms !== undefined) {
      while (!text.includes('started\n')) await once(child.stdout, 'data');
      await pause(ms);
      child.kill('SIGKILL');
    }
    await closed;
    return text.split('\n').slice(0, -1);
  }

  it(`loses no job, and writes no outcome twice, in ${ROUNDS} crashes (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    const lines: string[] = [];
    for (let round = 0; round < ROUNDS; round++) lines.push(...(await run('accept', random() * 300)));
    lines.push(...(await run('drain')));
    assert.equal(lines.at(-1), 'drained');
    assert.deepEqual(
      lines.filter((line) => line.startsWith('error')),
      [],
    );

    const accepted = lines.flatMap((line) => {
      const [what, id = '', digest = ''] = line.split(' ');
      return what === 'accepted' ? [[id, digest] as const] : [];
    });
    const ended = lines.flatMap((line) => (line.startsWith('ended ') ? [line.slice(6)] : []));
    assert.ok(accepted.length > ROUNDS, `${accepted.length} accepted`);
    assert.equal(new Set(ended).size, ended.length, 'an outcome was written twice');

    const store = await SpoolStore.open(folder, LIMITS);
    const fates = { done: 0, failed: 0 };
    for (const [id, digest] of accepted) {
      const job = await store.get(id);
      assert.ok(job?.state === 'done' || job?.state === 'failed', `${id}: ${job?.state}`);
      fates[job.state]++;
      // Only what was begun again and again may have failed.
      if (job.state === 'failed') assert.equal(job.failure?.code, 'M2FP_ENGINE_CRASHED');
      else assert.equal((await store.result(id))?.body.toString('hex'), digest);
    }
    assert.ok(fates.done > fates.failed);
    await store.close();
    // What was killed while it accepted leaves what nobody was promised, and that is not whole.
    const left = globSync('{queued,claims,tries,hooks}/*', { cwd: folder });
    assert.deepEqual(left, []);
    for (const name of globSync('new/*', { cwd: folder })) assert.ok(statSync(join(folder, name)).isFile());
  });
});
