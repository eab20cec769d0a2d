/** How lines of jobs do, and what became of jobs and their webhooks. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { jobEvents, type WebhookEvent, webhookEvents } from '../engine/events.ts';
import { BoundedLabel } from './bounded-label.ts';

/** A line as it is now. */
export interface JobLine {
  queued: number;
  running: number;
  /** When the first one in line was accepted, milliseconds since 1970; null where none waits. */
  oldest: number | null;
}

const ENDS = ['done', 'failed', 'cancelled', 'expired'] as const;
const CALLS: readonly WebhookEvent['outcome'][] = ['delivered', 'unwanted', 'failed', 'given_up'];

export class JobMetrics {
  readonly #nodes = new BoundedLabel();
  readonly #lines = new Map<() => Promise<JobLine>, string>();
  readonly #accepted: Counter;
  readonly #ended: Counter;
  readonly #calls: Counter;
  readonly #unsubscribe: (() => void)[];

  constructor(registry: Registry) {
    const registers = [registry];
    const age = new Gauge({
      name: 'm2fp_jobs_oldest_waiting_seconds',
      help: 'How long the first job in line has waited; 0 where none waits',
      labelNames: ['node'],
      registers,
    });
    const jobs: Gauge = new Gauge({
      name: 'm2fp_jobs',
      help: 'Jobs that wait (queued), and whose picture is in the flow (running)',
      labelNames: ['node', 'state'],
      registers,
      // Of both: one reading.
      collect: () => this.#read(jobs, age),
    });
    this.#accepted = counter('jobs_accepted', 'Jobs that were accepted', ['node'], registers);
    this.#ended = counter('jobs_ended', 'Jobs that got their outcome', ['node', 'outcome'], registers);
    this.#calls = counter('webhook_calls', 'Calls of webhooks', ['node', 'outcome'], registers);
    this.#unsubscribe = [
      jobEvents.subscribe(({ node, what }) => {
        if (what === 'accepted') this.#accepted.inc({ node: this.#nodes.of(node) });
        else this.#ended.inc({ node: this.#nodes.of(node), outcome: what });
      }),
      webhookEvents.subscribe(({ node, outcome }) =>
        this.#calls.inc({ node: this.#nodes.of(node), outcome }),
      ),
    ];
  }

  /**
   * Tells of a line until the function is called that it returns. Its counts begin with 0.
   * @param read what it rejects with is not told here: who asks for a job is told
   */
  watch(name: string, read: () => Promise<JobLine>): () => void {
    const node = this.#nodes.of(name);
    this.#accepted.inc({ node }, 0);
    for (const outcome of ENDS) this.#ended.inc({ node, outcome }, 0);
    for (const outcome of CALLS) this.#calls.inc({ node, outcome }, 0);
    const own = (): Promise<JobLine> => read();
    this.#lines.set(own, node);
    return () => this.#lines.delete(own);
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  async #read(jobs: Gauge, age: Gauge): Promise<void> {
    const found = await Promise.all(
      [...this.#lines].map(async ([read, node]) => ({ node, line: await read().catch(() => undefined) })),
    );
    jobs.reset();
    age.reset();
    for (const { node, line } of found) {
      if (line === undefined) continue;
      jobs.set({ node, state: 'queued' }, line.queued);
      jobs.set({ node, state: 'running' }, line.running);
      const waited = line.oldest === null ? 0 : Math.max(0, (Date.now() - line.oldest) / 1000);
      age.set({ node }, waited);
    }
  }
}

function counter(name: string, help: string, labelNames: string[], registers: Registry[]): Counter {
  return new Counter({ name: `m2fp_${name}_total`, help, labelNames, registers });
}
