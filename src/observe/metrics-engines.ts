/** Gauges of the engines as they are when somebody looks. */
import { Gauge, type Registry } from 'prom-client';
import packageJson from '../../package.json' with { type: 'json' };
import { residentBytes } from '../engine/local/process-memory.ts';
import type { EngineInfo, ProcessInfo } from '../engine/types.ts';
import { DIGEST_DIGITS, ENGINE_LABELS } from './metrics-events.ts';

export class EngineGauges {
  readonly #all: Gauge[] = [];
  readonly #registry: Registry;
  readonly #pending: Gauge;
  readonly #limit: Gauge;
  readonly #running: Gauge;
  readonly #states: Gauge;
  readonly #processes: Gauge;
  readonly #memory: Gauge;
  readonly #cacheEntries: Gauge;
  readonly #cacheBytes: Gauge;
  readonly #cacheLimit: Gauge;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#pending = this.#gauge('inference_pending_request_count', 'Requests in the queue');
    this.#limit = this.#gauge('inference_pending_request_limit', 'Requests that the queue takes');
    this.#running = this.#gauge('inference_running_request_count', 'Pictures that processes work on');
    this.#states = this.#gauge('engine_state', 'Engines by their state', ['state']);
    this.#processes = this.#gauge('engine_processes', 'Processes of engines by their state', ['state']);
    this.#memory = this.#gauge('engine_resident_memory_bytes', 'Resident memory of each process', [
      'process',
    ]);
    this.#cacheEntries = this.#gauge('cache_entries', 'Results that are kept');
    this.#cacheBytes = this.#gauge('cache_size_bytes', 'Memory that the kept results take');
    this.#cacheLimit = this.#gauge('cache_limit_bytes', 'Memory that the kept results may take');
    const build = new Gauge({
      name: 'm2fp_build_info',
      help: '1, with the versions of this package and of Node.js',
      labelNames: ['version', 'node'],
      registers: [registry],
    });
    build.set({ version: packageJson.version, node: process.version }, 1);
  }

  /** Engines of the same model, with other options, count together. */
  set(engines: readonly EngineInfo[]): void {
    for (const gauge of this.#all) gauge.reset();
    const seen = new Map<string, number>();
    for (const info of engines) {
      const { id, digest } = info.manifest;
      const first = seen.get(digest) ?? 0;
      seen.set(digest, first + info.processes.length);
      this.#add(info, { model: id, digest: digest.slice(0, DIGEST_DIGITS) }, first);
    }
  }

  #add(info: EngineInfo, labels: { model: string; digest: string }, first: number): void {
    const { state, waiting, running, maxQueue, processes, cache } = info;
    this.#pending.inc(labels, waiting);
    this.#running.inc(labels, running);
    this.#limit.inc(labels, maxQueue);
    this.#states.inc({ ...labels, state }, 1);
    processes.forEach((child, index) => {
      this.#processes.inc({ ...labels, state: child.state }, 1);
      const bytes = memoryOf(child);
      if (bytes !== null) this.#memory.set({ ...labels, process: String(first + index) }, bytes);
    });
    if (cache === null) return;
    this.#cacheEntries.inc(labels, cache.entries);
    this.#cacheBytes.inc(labels, cache.bytes);
    this.#cacheLimit.inc(labels, cache.limit);
  }

  #gauge(name: string, help: string, more: string[] = []): Gauge {
    const labelNames = [...ENGINE_LABELS, ...more];
    const gauge = new Gauge({ name: `m2fp_${name}`, help, labelNames, registers: [this.#registry] });
    this.#all.push(gauge);
    return gauge;
  }
}

/** As of now where the system tells, else, and for a worker on another machine, as of the process' last word. */
export function memoryOf({ host, pid, rss }: ProcessInfo): number | null {
  if (host !== undefined) return rss;
  return pid === null ? null : (residentBytes(pid) ?? rss);
}
