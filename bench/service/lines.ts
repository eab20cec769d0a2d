/** The result for people to read. */
import type { OverheadResult, ServiceBench } from './index.ts';
import type { LoadFacts } from './load.ts';

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

function loadText({ picturesPerSecond, p50Ms, p95Ms, p99Ms, busy, errors }: LoadFacts): string {
  return (
    `${picturesPerSecond.toFixed(2)} pictures/s; p50 ${ms(p50Ms)}, p95 ${ms(p95Ms)}, p99 ${ms(p99Ms)}; ` +
    `${busy} x 429, ${errors} other errors`
  );
}

function overheadText({ pictures, engineMs, overheadMs, share }: OverheadResult): string {
  return (
    `${ms(overheadMs)} of Node-RED and ours beside ${ms(engineMs)} of the engine = ` +
    `${(share * 100).toFixed(1)} % (${pictures} pictures)`
  );
}

export function lines(result: ServiceBench): string[] {
  const { clients, workers, bundled, fullSize, cores, processor, instructions, load, seconds } = result;
  return [
    ...clients.map(
      (one) =>
        `${one.clients} clients: ${loadText(one)}; event loop late ${ms(one.longestMs)} at most, p99 ${ms(one.p99LateMs)}; ` +
        `memory ${one.nodeRedMB.toFixed(0)} MB, engine ${one.engineMB.toFixed(0)} MB`,
    ),
    `one picture, bundled model: ${overheadText(bundled)}`,
    ...(fullSize ? [`one picture, full size: ${overheadText(fullSize)}`] : []),
    ...(workers
      ? [
          `1 worker, ${workers.clients} clients: ${loadText(workers.one)}`,
          `2 workers: ${loadText(workers.two)}; ${workers.growth.toFixed(2)} x (${workers.rounds} rounds)`,
          `one picture through Redis: ${ms(workers.overheadMs)} beside the engine`,
        ]
      : []),
    `${processor} (${instructions.join(', ') || 'instructions unknown'}), ${cores} cores, load average ` +
      `${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after; ${seconds.toFixed(0)} s`,
  ];
}
