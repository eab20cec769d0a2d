/** What the status node tells of engines. */
import type { CacheInfo, EngineInfo, EngineState, ProcessInfo } from '../../src/engine/types.ts';
import { memoryOf } from '../../src/observe/metrics-engines.ts';

/** Plain JSON. */
export interface EngineFacts {
  /** Id of the model. */
  model: string;
  digest: string;
  state: EngineState;
  /** 'cpu' (native) or 'wasm'. */
  provider: string;
  /** Why it is not the faster 'cpu'. */
  fallback: string | null;
  /** Of one process. */
  threads: number;
  processes: ProcessInfo[];
  /** Pictures that wait, how many may, and how many are being parsed. */
  waiting: number;
  maxQueue: number;
  running: number;
  /** Seconds. */
  loadSeconds: number | null;
  /** How often a process had to be replaced. */
  restarts: number;
  cache: CacheInfo | null;
  failure: { code: string | null; message: string } | null;
}

export function engineFacts(info: EngineInfo): EngineFacts {
  const { state, manifest, provider, fallback, threads, waiting, maxQueue } = info;
  const { running, loadSeconds, restarts, cache, failure } = info;
  return {
    model: manifest.id,
    digest: manifest.digest,
    state,
    provider,
    fallback,
    threads,
    processes: info.processes.map((process) => ({ ...process, rss: memoryOf(process) })),
    waiting,
    maxQueue,
    running,
    loadSeconds,
    restarts,
    cache: cache && { ...cache },
    failure: failure && { code: failure.code ?? null, message: failure.message },
  };
}
