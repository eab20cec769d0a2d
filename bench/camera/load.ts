/** Some cameras at some rate on one engine: how old results are, what is left out, memory and the event loop. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { MjpegSource } from '../../src/camera/http/mjpeg.ts';
import { Camera, FrameLine, type Pace } from '../../src/camera/index.ts';
import type { EngineLease } from '../../src/engine/index.ts';
import { dropReasonOf } from '../../src/engine/queue/dropped.ts';
import { quantile } from '../statistics.ts';
import type { Play } from './cameras-child.ts';
import { STAGES } from './stages.ts';

export interface LoadResult {
  cameras: number;
  /** Frames a second of each camera. */
  rate: number;
  pace: Pace;
  seconds: number;
  /** Frames that came from the cameras. */
  arrived: number;
  /** Results a second, of all cameras. */
  resultsPerSecond: number;
  /** Of those that came: left out before the engine, and dropped by its line. */
  skippedShare: number;
  droppedShare: number;
  /** Milliseconds from a frame's arrival to its result. */
  age: { p50: number; p95: number; max: number };
  /** Milliseconds that the event loop stood still. */
  loop: { p99: number; max: number };
  /** Milliseconds a frame of what follows the model. */
  stages: Record<string, number>;
  memory: { ownMB: [number, number]; engineMB: [number | null, number | null] };
  /** Open at the beginning and at the end; null where the system does not tell. */
  descriptors: [number, number] | null;
}

/** The cameras' process. @returns the address of a camera, and what sets what they play and ends it */
export async function playCameras(): Promise<{
  address: (camera: number) => string;
  play: (what: Play) => Promise<void>;
  end: () => void;
}> {
  const child: ChildProcess = fork(new URL('cameras-child.ts', import.meta.url), {
    serialization: 'advanced',
  });
  const [port] = (await once(child, 'message')) as [number];
  return {
    address: (camera) => `http://127.0.0.1:${port}/${camera}`,
    play: async (what) => {
      child.send(what);
      await once(child, 'message');
    },
    end: () => void child.kill(),
  };
}

export async function benchLoad(
  { engine }: EngineLease,
  address: (camera: number) => string,
  { cameras, rate, pace, seconds }: Pick<LoadResult, 'cameras' | 'rate' | 'pace' | 'seconds'>,
): Promise<LoadResult> {
  const ages: number[] = [];
  const running = STAGES.map(({ name, create }) => ({ name, run: create(), ms: 0 }));
  let dropped = 0;
  const parse = async (image: Buffer, time: number, camera: string): Promise<void> => {
    try {
      const parsing = await engine.parse({ image, queue: { policy: 'latest', key: camera, lane: 'bench' } });
      for (const stage of running) {
        const began = performance.now();
        await stage.run(parsing, camera, time);
        stage.ms += performance.now() - began;
      }
      ages.push(Date.now() - time);
    } catch (error) {
      if (dropReasonOf(error) === undefined) throw error;
      dropped++;
    }
  };
  const pending = new Set<Promise<void>>();
  const deliver = (image: Buffer, time: number, camera: string): Promise<void> => {
    const done = parse(image, time, camera).finally(() => pending.delete(done));
    pending.add(done);
    return done;
  };
  // As the camera node does.
  const line = new FrameLine(() => engine.info().processes.length + 1);
  const all = Array.from({ length: cameras }, (_, number) => {
    const source = new MjpegSource({
      address: address(number),
      credentials: {},
      limits: { timeout: 10_000, maxBytes: 2 ** 24 },
    });
    return new Camera({
      source,
      pace,
      line: () => line,
      rate: pace === 'fixed' ? rate : undefined,
      deliver: async ({ image, time }, onModel) => {
        onModel();
        await deliver(image, time, `camera ${number}`);
        return 0;
      },
      onState: () => {},
    });
  });
  const before = measure(engine);
  const loop = monitorEventLoopDelay({ resolution: 5 });
  for (const camera of all) camera.start();
  // Until all are connected.
  await sleep(1000);
  loop.enable();
  await sleep(seconds * 1000);
  loop.disable();
  const after = measure(engine);
  const sent = all.reduce((sum, { statistics }) => sum + statistics.sent, 0);
  const skipped = all.reduce((sum, { statistics }) => sum + statistics.skipped, 0);
  await Promise.all(all.map((camera) => camera.stop()));
  await Promise.all(pending);
  const arrived = Math.max(1, sent + skipped);
  return {
    cameras,
    rate,
    pace,
    seconds,
    arrived,
    resultsPerSecond: ages.length / (seconds + 1),
    skippedShare: skipped / arrived,
    droppedShare: dropped / arrived,
    age: { p50: quantile(ages, 0.5), p95: quantile(ages, 0.95), max: Math.max(...ages) },
    loop: { p99: loop.percentile(99) / 1e6 - 5, max: loop.max / 1e6 - 5 },
    stages: Object.fromEntries(running.map(({ name, ms }) => [name, ms / Math.max(1, ages.length)])),
    memory: { ownMB: [before.own, after.own], engineMB: [before.engine, after.engine] },
    descriptors: before.open === null || after.open === null ? null : [before.open, after.open],
  };
}

function measure(engine: EngineLease['engine']): { own: number; engine: number | null; open: number | null } {
  const resident = engine.info().processes.map(({ rss }) => rss);
  return {
    own: process.memoryUsage.rss() / 1e6,
    engine: resident.includes(null) ? null : resident.reduce<number>((sum, rss) => sum + rss!, 0) / 1e6,
    open: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : null,
  };
}
