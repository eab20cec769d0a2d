/** Workers in processes of their own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { installedPackage } from '../../support/installed-package.ts';
import type { RedisServer } from './redis.ts';

/** `m2fp worker`, as the package brings it; resolves when it serves. */
export async function startWorker({ address }: RedisServer, password: string): Promise<ChildProcess> {
  const program = join(installedPackage().folder, 'dist', 'cli', 'm2fp.js');
  const worker = spawn(
    process.execPath,
    [program, 'worker', '--redis', address.url, '--queue', address.queue],
    {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, M2FP_REDIS_PASSWORD: password },
    },
  );
  const ended = once(worker, 'exit').then(() => assert.fail(`The worker ended:\n${log}`));
  ended.catch(() => {});
  let log = '';
  worker.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  while (!log.includes('Serving m2fp-demo')) await Promise.race([once(worker.stderr, 'data'), ended]);
  return worker;
}

export async function stopWorker(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const ended = once(worker, 'exit');
  worker.kill('SIGTERM');
  await ended;
}
