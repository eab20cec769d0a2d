/** Counters and histograms of what engines and nodes tell on their diagnostics channels. */
import { Counter, Histogram, type Registry } from 'prom-client';
import {
  type EngineLabels,
  type EventChannel,
  loadEvents,
  type LoadEvent,
  messageEvents,
  type MessageEndEvent,
  requestEvents,
  type RequestEvent,
  restartEvents,
  type RestartEvent,
} from '../engine/events.ts';

/** Of all metrics that concern an engine. */
export const ENGINE_LABELS = ['model', 'digest'] as const;

/** As many digits of a model's digest are its label. */
export const DIGEST_DIGITS = 12;

/** Seconds: from a picture of the bundled model to a large one on a small machine. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** A restart is a recent one for so long, milliseconds. */
const RECENT = 10 * 60_000;

export class EventMetrics {
  readonly #registry: Registry;
  readonly #unsubscribe: (() => void)[] = [];
  /** The times of recent restarts by the label of the model's digest. */
  readonly #restartTimes = new Map<string, number[]>();

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#countRequests();
    this.#countRestarts();
    this.#countLoads();
    this.#countMessages();
  }

  recentRestarts(digest: string): number {
    return this.#recent(digest.slice(0, DIGEST_DIGITS)).length;
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #countRequests(): void {
    const succeeded = this.#counter(
      'inference_request_success',
      'Requests that ended in a result, cached or not',
      ENGINE_LABELS,
    );
    const failed = this.#counter('inference_request_failure', 'Requests that ended in an error', [
      ...ENGINE_LABELS,
      'reason',
      'code',
    ]);
    const dropped = this.#counter(
      'inference_request_dropped',
      'Requests that their own queue options gave up: replaced by a newer one, or expired',
      [...ENGINE_LABELS, 'reason'],
    );
    const executed = this.#counter(
      'inference_exec_count',
      'Pictures that the network parsed; no cached ones',
      ENGINE_LABELS,
    );
    const hits = this.#counter(
      'cache_hits',
      'Requests whose result came from the cache, or from an equal picture before them in line',
      ENGINE_LABELS,
    );
    const request = this.#histogram(
      'inference_request_duration',
      'Time from the request to the result; no cached ones',
    );
    const queue = this.#histogram('inference_queue_duration', 'Time in the queue; no cached ones');
    const input = this.#histogram(
      'inference_compute_input_duration',
      'Time for decoding the picture, and for making the network input of it',
      ['stage'],
    );
    const infer = this.#histogram('inference_compute_infer_duration', 'Time of the network');
    const output = this.#histogram(
      'inference_compute_output_duration',
      'Time for making the result of what the network gave',
    );
    this.#listen<RequestEvent>(requestEvents, ({ engine, fate, code, cached, queue: waited, timing }) => {
      const labels = labelsOf(engine);
      if (fate === 'replaced' || fate === 'expired') return dropped.inc({ ...labels, reason: fate });
      if (fate !== 'completed') return failed.inc({ ...labels, reason: fate, code: code ?? '' });
      succeeded.inc(labels);
      if (cached) return hits.inc(labels);
      executed.inc(labels);
      queue.observe(labels, waited / 1000);
      if (timing === undefined) return;
      request.observe(labels, timing.total / 1000);
      input.observe({ ...labels, stage: 'decode' }, timing.decode / 1000);
      input.observe({ ...labels, stage: 'preprocess' }, timing.preprocess / 1000);
      infer.observe(labels, timing.inference / 1000);
      output.observe(labels, timing.postprocess / 1000);
    });
  }

  #countRestarts(): void {
    const restarts = this.#counter('engine_restarts', 'Processes of an engine that had to be replaced', [
      ...ENGINE_LABELS,
      'reason',
    ]);
    this.#listen<RestartEvent>(restartEvents, ({ engine, reason }) => {
      const labels = labelsOf(engine);
      this.#restartTimes.set(labels.digest, [...this.#recent(labels.digest), performance.now()]);
      restarts.inc({ ...labels, reason });
    });
  }

  #countLoads(): void {
    const loads = this.#histogram(
      'engine_load_duration',
      'Time that a process took to load the model and to warm up',
    );
    this.#listen<LoadEvent>(loadEvents, ({ engine, seconds }) => loads.observe(labelsOf(engine), seconds));
  }

  #countMessages(): void {
    const messages = this.#counter('messages', 'Messages that ended at nodes', ['node', 'fate', 'code']);
    this.#listen<MessageEndEvent>(messageEvents, ({ node, fate, code }) =>
      messages.inc({ node, fate, code: code ?? '' }),
    );
  }

  #recent(digest: string): number[] {
    const since = performance.now() - RECENT;
    return (this.#restartTimes.get(digest) ?? []).filter((time) => time > since);
  }

  #counter<T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> {
    return new Counter({ name: `m2fp_${name}_total`, help, labelNames, registers: [this.#registry] });
  }

  #histogram<T extends string = never>(
    name: string,
    help: string,
    more: readonly T[] = [],
  ): Histogram<T | (typeof ENGINE_LABELS)[number]> {
    return new Histogram({
      name: `m2fp_${name}_seconds`,
      help: `${help}, seconds`,
      labelNames: [...ENGINE_LABELS, ...more],
      buckets: BUCKETS,
      registers: [this.#registry],
    });
  }

  /** What a listener throws would end the program: a count is not worth that. */
  #listen<T>(channel: EventChannel<T>, listener: (event: T) => void): void {
    const unsubscribe = channel.subscribe((event) => {
      try {
        listener(event);
      } catch {
        // An event that this version does not know.
      }
    });
    this.#unsubscribe.push(unsubscribe);
  }
}

function labelsOf({ model, digest }: EngineLabels): { model: string; digest: string } {
  return { model, digest: digest.slice(0, DIGEST_DIGITS) };
}
