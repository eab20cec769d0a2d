/** What a worker answers at its own port, from its first moment to its last. */
import { listEngines } from '../engine/index.ts';
import type { RunningWorker } from '../engine/remote/worker/worker.ts';
import { type Health, healthOf, type HealthReason } from '../observe/health.ts';
import { processMetrics } from '../observe/metrics.ts';
import { type ProbeServer, serveProbes } from './probe-server.ts';

export class WorkerHealth {
  readonly #model: string;
  #server: ProbeServer | null = null;
  /** Before it serves; null then. */
  #beginning: Omit<HealthReason, 'model'> | null = {
    code: 'model-pulling',
    message: 'The model is being looked for, downloaded or converted.',
  };
  #worker: RunningWorker | null = null;

  private constructor(model: string) {
    this.#model = model;
  }

  /**
   * @param address where it answers; null comes back where there is none
   * @param model what was asked for, until it is known what that is
   * @throws {M2fpError} `M2FP_BAD_OPTION` for what is no address, or none that can be had
   */
  static async open(
    address: string | undefined,
    model: string,
    log: (line: string) => void,
  ): Promise<WorkerHealth | null> {
    if (address === undefined) return null;
    const health = new WorkerHealth(model);
    // They begin here, so that nothing is left out.
    const metrics = processMetrics();
    health.#server = await serveProbes(address, {
      health: () => health.#health(),
      metrics: () => metrics.text({ engines: listEngines(), health: health.#health() }),
    });
    log(`Answering /live, /ready, /health and /metrics at ${health.#server.url}.`);
    return health;
  }

  /** The model's files are there. */
  loading(): void {
    this.#beginning = { code: 'engine-loading', message: 'Redis is asked, and the model loaded.' };
  }

  serving(worker: RunningWorker): void {
    this.#beginning = null;
    this.#worker = worker;
  }

  close(): void {
    this.#server?.close();
  }

  #health(): Health {
    const engines = this.#beginning === null ? listEngines() : [];
    const [first] = engines;
    const model = first?.manifest.id ?? this.#model;
    const reason = this.#beginning ?? this.#worker?.trouble ?? null;
    return healthOf({
      engines,
      reasons: reason === null ? [] : [{ ...reason, model }],
      recentRestarts: (digest) => processMetrics().recentRestarts(digest),
    });
  }
}
