/** One process with all cores against two with half of them each, under one, two and four clients. */
import { acquireEngine, type EngineLease } from '../../src/engine/index.ts';
import { median, quantile } from '../statistics.ts';
import { closedLoop, type LoopResult } from './closed-loop.ts';
import type { Images } from './images.ts';
import { repeat, type Rounds } from './rounds.ts';

const CLIENTS = [1, 2, 4] as const;
/** How often every client, and every process, gets its turn in one measurement. */
const MOST_WAVES = 4;
/** Seconds that a measurement with four clients should take. */
const SECONDS = 1;

interface Speed {
  /** Median over the rounds. */
  picturesPerSecond: number;
  /** Of all requests of all rounds, with the time in the queue. */
  p50Ms: number;
  p95Ms: number;
}

export interface PoolsOfClients {
  clients: number;
  requests: number;
  one: Speed;
  two: Speed;
  /** Two processes by one: median over the rounds for the throughput. */
  throughputRatio: number;
  p50Ratio: number;
  p95Ratio: number;
}

export interface PoolsResult {
  /** Threads of each process. */
  threads: { one: number; two: number };
  /** All processes together, at the end. */
  residentMB: { one: number | null; two: number | null };
  rounds: number;
  clients: PoolsOfClients[];
}

function requestsOf(rounds: readonly LoopResult[]): number[] {
  return rounds.flatMap(({ latencies }) => latencies);
}

function throughput({ seconds, latencies }: LoopResult): number {
  return latencies.length / seconds;
}

function speedOf(rounds: readonly LoopResult[]): Speed {
  const latencies = requestsOf(rounds);
  return {
    picturesPerSecond: median(rounds.map(throughput)),
    p50Ms: quantile(latencies, 0.5),
    p95Ms: quantile(latencies, 0.95),
  };
}

function compare(clients: number, rounds: readonly { one: LoopResult; two: LoopResult }[]): PoolsOfClients {
  const one = speedOf(rounds.map((round) => round.one));
  const two = speedOf(rounds.map((round) => round.two));
  return {
    clients,
    requests: requestsOf(rounds.map((round) => round.one)).length,
    one,
    two,
    throughputRatio: median(rounds.map((round) => throughput(round.two) / throughput(round.one))),
    p50Ratio: two.p50Ms / one.p50Ms,
    p95Ratio: two.p95Ms / one.p95Ms,
  };
}

function residentMB({ engine }: EngineLease): number | null {
  const resident = engine.info().processes.map(({ rss }) => rss);
  return resident.includes(null) ? null : resident.reduce<number>((sum, rss) => sum + rss!, 0) / 1e6;
}

/** So many that all are busy to the end. */
function requestsFor(clients: number, waves: number): number {
  return Math.max(clients, 2) * waves;
}

/** Fewer for a slow model. */
function wavesFor(picturesPerSecond: number): number {
  const waves = (picturesPerSecond * SECONDS) / Math.max(...CLIENTS);
  return Math.max(1, Math.min(MOST_WAVES, Math.round(waves)));
}

export async function benchPools(model: string, images: Images, rounds: Rounds): Promise<PoolsResult> {
  const leases: EngineLease[] = [];
  try {
    for (const processes of [1, 2]) leases.push(await acquireEngine({ model, processes, warmUp: true }));
    const [one, two] = leases as [EngineLease, EngineLease];
    await Promise.all(leases.map(({ engine }) => engine.load()));
    const load = ({ engine }: EngineLease, clients: number, waves: number): Promise<LoopResult> =>
      closedLoop(clients, requestsFor(clients, waves), () => engine.parse({ image: images.next() }));
    // Both processes of the second pool, and all of their code, at work once.
    await load(two, 2, 2);
    const waves = wavesFor(throughput(await load(one, 1, 1)));
    const found = await repeat(rounds, async () => {
      const results: { one: LoopResult; two: LoopResult }[] = [];
      for (const clients of CLIENTS) {
        results.push({ one: await load(one, clients, waves), two: await load(two, clients, waves) });
      }
      return results;
    });
    return {
      threads: { one: one.engine.info().threads, two: two.engine.info().threads },
      residentMB: { one: residentMB(one), two: residentMB(two) },
      rounds: found.length,
      clients: CLIENTS.map((clients, i) =>
        compare(
          clients,
          found.map((round) => round[i]!),
        ),
      ),
    };
  } finally {
    await Promise.all(leases.map(({ engine }) => engine.unload()));
    for (const lease of leases) lease.release();
  }
}
