/** Clients that each send their next picture when they have the answer to the one before, and come back later when it was 429. */
import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from '../statistics.ts';
import type { Images } from '../engine/images.ts';
import type { Answered, BenchService } from './service.ts';

/** Milliseconds; the service asks for a second and more, which would leave it idle for a measurement's time. */
const BUSY_PAUSE = 200;

export interface Load {
  seconds: number;
  answers: Answered[];
}

/** @param seconds after which no client sends another picture */
export async function load(
  service: BenchService,
  images: Images,
  clients: number,
  seconds: number,
): Promise<Load> {
  const answers: Answered[] = [];
  const start = performance.now();
  const client = async (): Promise<void> => {
    while (performance.now() - start < seconds * 1000) {
      const answer = await service.parse(images.next());
      answers.push(answer);
      if (answer.status === 429) await pause(BUSY_PAUSE);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { seconds: (performance.now() - start) / 1000, answers };
}

export interface LoadFacts {
  picturesPerSecond: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** Pictures that were turned away since too many waited. */
  busy: number;
  /** Answers with any other error, which there should be none of. */
  errors: number;
}

/** Of the pictures that were parsed; throughput over all loads. */
export function factsOf(loads: readonly Load[]): LoadFacts {
  const answers = loads.flatMap((one) => one.answers);
  const parsed = answers.filter(({ status }) => status === 200).map(({ ms }) => ms);
  const busy = answers.filter(({ status }) => status === 429).length;
  return {
    picturesPerSecond: parsed.length / loads.reduce((sum, { seconds }) => sum + seconds, 0),
    p50Ms: quantile(parsed, 0.5),
    p95Ms: quantile(parsed, 0.95),
    p99Ms: quantile(parsed, 0.99),
    busy,
    errors: answers.length - parsed.length - busy,
  };
}

/** What a picture took beyond the engine's own stages, the time in a queue included: Node-RED, HTTP, and the way to a worker. */
export function overheadOf({ ms, timing }: Answered): number {
  if (timing === undefined)
    throw new Error('a picture was not parsed while the service had nothing else to do');
  return ms - engineMs(timing);
}

export function engineMs({
  decode,
  preprocess,
  inference,
  postprocess,
}: NonNullable<Answered['timing']>): number {
  return decode + preprocess + inference + postprocess;
}
