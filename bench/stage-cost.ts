/** What it costs Node-RED's process to make something of a parsing. */
import { performance } from 'node:perf_hooks';
import { median } from './statistics.ts';

export interface StageCost {
  rounds: number;
  /** Milliseconds of processor time of the event loop's thread, for one picture: mean, as the system counts it in steps. */
  busy: number;
  /** Between two turns of the event loop, the longest of all. */
  longest: number;
  /** From call to result, median. */
  total: number;
}

const ROUNDS = 30;
const WARM_UP = 5;

/** @param work what is done with one picture; gets the number of the round */
export async function costOf(work: (round: number) => Promise<unknown>): Promise<StageCost> {
  const [busy, total]: [number[], number[]] = [[], []];
  let longest = 0;
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const gaps = watchTurns();
    const busySince = watchThread();
    const start = performance.now();
    await work(round);
    const time = performance.now() - start;
    const active = busySince();
    const gap = gaps();
    if (round < WARM_UP) continue;
    total.push(time);
    busy.push(active);
    longest = Math.max(longest, gap);
  }
  return { rounds: ROUNDS, busy: mean(busy), longest, total: median(total) };
}

/** Of some numbers, at least one. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of Node.js 23.9 and newer, which the types of 22 do not know: the processor time of this thread, microseconds. */
const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } };

/** The milliseconds that this thread has worked since then; with an older Node.js, also those that it waited for a processor. */
function watchThread(): () => number {
  if (threadCpuUsage === undefined) {
    const before = performance.eventLoopUtilization();
    return () => performance.eventLoopUtilization(before).active;
  }
  const sum = (): number => {
    const { user, system } = threadCpuUsage();
    return (user + system) / 1000;
  };
  const before = sum();
  return () => sum() - before;
}

/** The longest time between two turns since then, milliseconds: a turn is asked for ahead of every other. */
function watchTurns(): () => number {
  let last = performance.now();
  let longest = 0;
  let isOver = false;
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setTimeout(turn, 1);
  };
  setTimeout(turn, 1);
  return () => {
    isOver = true;
    return longest;
  };
}
