/** The result for people to read. */
import type { ModelResult } from './index.ts';
import type { MemoryResult } from './memory.ts';
import type { PoolsResult } from './pools.ts';

function poolLines({ threads, residentMB, rounds, clients }: PoolsResult): string[] {
  const resident = (mb: number | null): string => (mb === null ? '' : `, ${mb.toFixed(0)} MB`);
  return [
    `1 process x ${threads.one} threads${resident(residentMB.one)} | ` +
      `2 x ${threads.two}${resident(residentMB.two)} | 2 by 1; ${rounds} rounds`,
    ...clients.map(
      ({ clients: count, one, two, throughputRatio, p50Ratio, p95Ratio }) =>
        `  clients ${count}: ${one.picturesPerSecond.toFixed(2)} | ${two.picturesPerSecond.toFixed(2)} pictures/s ` +
        `(${throughputRatio.toFixed(2)} x); ` +
        `p50 ${one.p50Ms.toFixed(0)} | ${two.p50Ms.toFixed(0)} ms (${p50Ratio.toFixed(2)} x), ` +
        `p95 ${one.p95Ms.toFixed(0)} | ${two.p95Ms.toFixed(0)} ms (${p95Ratio.toFixed(2)} x)`,
    ),
  ];
}

function memoryLine({ pictures, engine, parent }: MemoryResult): string {
  const [ofEngine, ofParent] = [engine, parent].map(
    ({ loadedMB, halfMB, endMB, growthPer100MB }) =>
      `${loadedMB.toFixed(0)} MB loaded, ${halfMB.toFixed(0)} after ${pictures / 2} pictures, ` +
      `${endMB.toFixed(0)} after ${pictures} (${growthPer100MB.toFixed(1)} MB per 100)`,
  );
  return `memory of the engine: ${ofEngine}; of its parent: ${ofParent}`;
}

export function lines({ model, pools, http, deploy, cache, memory }: ModelResult): string[] {
  return [
    `${model.id} (${model.precision})`,
    ...poolLines(pools),
    `HTTP through Node-RED: ${http.overheadMs.toFixed(1)} ms beyond the parsing = ` +
      `${(http.overheadShare * 100).toFixed(1)} % of an inference (${http.inferenceMs.toFixed(0)} ms); ` +
      `round trip ${http.roundTripMs.toFixed(0)} ms, engine alone ${http.directMs.toFixed(0)} ms ` +
      `(${http.ratio.toFixed(2)} x), ${http.rounds} rounds`,
    `deploy to ready: cold ${deploy.coldMs.toFixed(0)} ms, warm ${deploy.warmMs.toFixed(0)} ms ` +
      `(${deploy.ratio.toFixed(0)} x), ${deploy.rounds} rounds`,
    `cache: computed ${cache.computedMs.toFixed(0)} ms, hit ${cache.hitMs.toFixed(1)} ms ` +
      `(${cache.ratio.toFixed(0)} x), ${cache.rounds} rounds`,
    memoryLine(memory),
  ];
}
