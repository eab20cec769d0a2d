/** Gauges of the engines as they are when somebody looks. */
import { Counter, Gauge, type Registry } from 'prom-client';
import packageJson from '../../package.json' with { type: 'json' };
import { isRemote } from '../engine/info.ts';
import { residentBytes } from '../engine/local/process-memory.ts';
import type { EngineInfo, EngineState, ProcessInfo } from '../engine/types.ts';
import { DIGEST_DIGITS, ENGINE_LABELS } from './metrics-events.ts';

/** Each has a series, so that it is 0 while another one holds. */
const STATES: readonly EngineState[] = ['idle', 'loading', 'ready', 'running', 'failed', 'closed'];

export class EngineGauges {
  readonly #all: Gauge[] = [];
  readonly #registry: Registry;
  readonly #pending: Gauge;
  readonly #limit: Gauge;
  readonly #running: Gauge;
  readonly #states: Gauge;
  readonly #processes: Gauge;
  readonly #memory: Gauge;
  readonly #workers: Gauge;
  readonly #cacheEntries: Gauge;
  readonly #cacheBytes: Gauge;
  readonly #cacheLimit: Gauge;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#pending = this.#gauge('inference_pending_requests', 'Requests in the queue');
    this.#limit = this.#gauge('inference_pending_requests_limit', 'Requests that the queue takes');
    this.#running = this.#gauge('inference_running_requests', 'Pictures that processes work on');
    this.#states = this.#gauge('engine_state', 'Engines in each state: 1, and 0 in all others', ['state']);
    this.#processes = this.#gauge('engine_processes', 'Processes of engines in each state', ['state']);
    this.#workers = this.#gauge('workers', 'Workers on other machines that are there');
    this.#memory = this.#gauge('engine_resident_memory_bytes', 'Resident memory of each process', [
      'process',
    ]);
    this.#cacheEntries = this.#gauge('cache_entries', 'Results that are kept');
    this.#cacheBytes = this.#gauge('cache_size_bytes', 'Memory that the kept results take');
    this.#cacheLimit = this.#gauge('cache_limit_bytes', 'Memory that the kept results may take');
    measureProcess(registry);
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
    for (const each of STATES) {
      this.#states.inc({ ...labels, state: each }, each === state ? 1 : 0);
      const inIt = processes.filter((child) => child.state === each);
      this.#processes.inc({ ...labels, state: each }, inIt.length);
    }
    if (isRemote(info)) this.#workers.inc(labels, processes.length);
    processes.forEach((child, index) => {
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

/** This process itself, under the names that all Prometheus clients use. */
function measureProcess(registry: Registry): void {
  const registers = [registry];
  const memory: Gauge = new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory size in bytes.',
    registers,
    collect: () => memory.set(process.memoryUsage.rss()),
  });
  const start = new Gauge({
    name: 'process_start_time_seconds',
    help: 'Start time of the process since unix epoch in seconds.',
    registers,
  });
  start.set(Math.round(Date.now() / 1000 - process.uptime()));
  const cpu: Counter = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Total user and system CPU time spent in seconds.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1e6);
    },
  });
}

/** As of now where the system tells, else, and for a worker on another machine, as of the process' last word. */
export function memoryOf({ host, pid, rss }: ProcessInfo): number | null {
  if (host !== undefined) return rss;
  return pid === null ? null : (residentBytes(pid) ?? rss);
}
