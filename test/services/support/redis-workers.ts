/** A Redis for each test, with links to it and workers behind it. */
import assert from 'node:assert/strict';
import { QueueEvents } from 'bullmq';
import { shutdownEngines } from '../../../src/engine/index.ts';
import { BullLink } from '../../../src/engine/remote/client/bull-link.ts';
import type { RemoteRequest, WorkerAddress } from '../../../src/engine/remote/client/transport.ts';
import { namesOf, type Times } from '../../../src/engine/remote/redis/settings.ts';
import { type RunningWorker, startWorker } from '../../../src/engine/remote/worker/worker.ts';
import { M2fpError } from '../../../src/errors.ts';
import { twoPeople } from '../../support/images.ts';
import type { PlayedEngine } from './played-engine.ts';
import { RedisServer } from './redis.ts';
import { SHORT } from './times.ts';
import { WorkerProcess } from './worker.ts';

/** The keys of the queue that the tests use. */
export const names = namesOf('tests');

/** The signal of a request that nobody cancels. */
export const forever = new AbortController().signal;

/** Starts and ends the Redis of each test, and returns it with what links to it and works behind it. */
export function redisUnderTest() {
  let redis: RedisServer;
  let link: BullLink;
  const links: BullLink[] = [];
  const workers: RunningWorker[] = [];

  function linkTo(address: WorkerAddress, times: Partial<Times> = SHORT): BullLink {
    const made = new BullLink(address, times);
    links.push(made);
    return made;
  }

  /** A worker in this process, on an engine that the test plays. */
  async function play(
    engine: PlayedEngine,
    log: string[] = [],
    address: WorkerAddress = redis.address,
  ): Promise<RunningWorker> {
    const acquire = () => Promise.resolve({ engine, release: () => {} });
    const worker = await startWorker(
      { address, engine: { model: '' }, log: (line) => log.push(line) },
      { times: SHORT, acquire },
    );
    workers.push(worker);
    return worker;
  }

  beforeEach(async () => {
    redis = await RedisServer.start();
    link = linkTo(redis.address);
  });
  afterEach(async () => {
    await Promise.all([...links.splice(0), ...workers.splice(0)].map((one) => one.close()));
    await WorkerProcess.stopAll();
    await redis.stop();
  });
  after(shutdownEngines);

  return {
    get redis() {
      return redis;
    },
    get link() {
      return link;
    },
    linkTo,
    play,
    /** As a service manager does. */
    async closeWorkers() {
      for (const worker of workers.splice(0)) await worker.close();
    },
  };
}

/** Resolves when `condition` holds of the link. */
export async function until(link: BullLink, condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => {
      const unsubscribe = link.subscribe(() => {
        unsubscribe();
        resolve();
      });
    });
  }
}

/** A picture for the model that the first worker of the link has. */
export function request(link: BullLink, image: RemoteRequest['image'] = twoPeople): RemoteRequest {
  return { digest: link.workers[0]?.manifest.digest ?? '', image, options: {} };
}

/** Resolves when workers have `count` more pictures in hand; call it before they get them. */
export async function taken(redis: RedisServer, count: number): Promise<{ all: Promise<void> }> {
  const { hostname: host, port } = new URL(redis.address.url);
  const events = new QueueEvents(names.jobs, {
    connection: { host, port: Number(port) },
    prefix: names.prefix,
    skipVersionCheck: true,
    lastEventId: '0',
  });
  events.on('error', () => {});
  await events.waitUntilReady();
  const all = new Promise<void>((resolve) => {
    let left = count;
    events.on('active', () => {
      left--;
      if (left === 0) resolve(events.close());
    });
  });
  return { all };
}

/** What `work` fails with, which is an error of ours. */
export async function errorOf(work: Promise<unknown>): Promise<M2fpError> {
  const error = await work.then(
    () => assert.fail('Nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof M2fpError, String(error));
  return error;
}
