/** The service with one and with two workers behind a Redis, each with one thread, under the same load in turns. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { installedPackage } from '../../test/support/installed-package.ts';
import { freePort } from '../../test/support/node-red.ts';
import { RedisServer } from '../../test/services/support/redis.ts';
import type { Images } from '../engine/images.ts';
import { repeat, type Rounds } from '../engine/rounds.ts';
import { median } from '../statistics.ts';
import { factsOf, load, type LoadFacts, overheadOf } from './load.ts';
import { BenchService } from './service.ts';

/** Enough for both to have one in hand, and one to wait. */
const CLIENTS = 4;
const SECONDS = 4;
const SINGLES = 10;

export interface WorkersResult {
  rounds: number;
  clients: number;
  one: LoadFacts;
  two: LoadFacts;
  /** Median over the rounds of the throughput with two by that with one. */
  growth: number;
  /** Median of what a picture takes beyond the engine's time, with one client. */
  overheadMs: number;
}

async function startWorker({ address }: RedisServer, model: string): Promise<ChildProcess> {
  const port = await freePort();
  const program = join(installedPackage().folder, 'dist', 'cli', 'm2fp.js');
  const args = ['--redis', address.url, '--queue', address.queue, '--model', model, '--threads', '1'];
  const worker = spawn(process.execPath, [program, 'worker', ...args, '--listen', `${port}`], {
    stdio: 'ignore',
  });
  while (worker.exitCode === null) {
    if ((await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined))?.status === 200) return worker;
    await pause(50);
  }
  throw new Error(`A worker ended with code ${worker.exitCode}`);
}

async function stopWorker(worker: ChildProcess): Promise<void> {
  const ended = once(worker, 'exit');
  worker.kill('SIGTERM');
  await ended;
}

/** @param model its folder */
export async function benchWorkers(model: string, images: Images, rounds: Rounds): Promise<WorkersResult> {
  const redis = await RedisServer.start();
  const { url, queue } = redis.address;
  const workers: ChildProcess[] = [];
  let service: BenchService | undefined;
  try {
    workers.push(await startWorker(redis, model));
    service = await BenchService.start({ source: 'remote', redis: url, queue });
    // The first ones find code that was not run before.
    for (let i = 0; i < 3; i++) await service.parse(images.next());
    const overheads: number[] = [];
    for (let i = 0; i < SINGLES; i++) overheads.push(overheadOf(await service.parse(images.next())));
    const under = service;
    const found = await repeat(rounds, async () => {
      const one = await load(under, images, CLIENTS, SECONDS);
      workers.push(await startWorker(redis, model));
      // Node-RED has heard of it with the next look.
      for (let i = 0; i < 3; i++) await Promise.all([under.parse(images.next()), under.parse(images.next())]);
      const two = await load(under, images, CLIENTS, SECONDS);
      await stopWorker(workers.pop()!);
      return { one, two };
    });
    const growth = found.map(
      ({ one, two }) => factsOf([two]).picturesPerSecond / factsOf([one]).picturesPerSecond,
    );
    return {
      rounds: found.length,
      clients: CLIENTS,
      one: factsOf(found.map(({ one }) => one)),
      two: factsOf(found.map(({ two }) => two)),
      growth: median(growth),
      overheadMs: median(overheads),
    };
  } finally {
    await service?.stop();
    for (const worker of workers) await stopWorker(worker);
    await redis.stop();
  }
}
