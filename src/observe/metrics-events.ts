/** Counters and histograms of what engines and nodes tell on their diagnostics channels. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { BoundedLabel } from './bounded-label.ts';
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
  type RestartReason,
} from '../engine/events.ts';

/** Of all metrics that concern an engine; blank where a request failed before any engine had it. */
export const ENGINE_LABELS = ['model', 'digest'] as const;

/** Of the counts of requests: the flow's node that asks, and the camera where that is told. */
const CALLER_LABELS = ['node', 'camera'] as const;

const RESTART_REASONS: readonly RestartReason[] = ['crash', 'timeout', 'memory', 'cancelled'];

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
  readonly #nodes = new BoundedLabel();
  readonly #cameras = new BoundedLabel();
  readonly #restarts: Counter;
  readonly #executed: Counter;
  readonly #hits: Counter;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#executed = this.#counter(
      'inference_exec_count',
      'Pictures that the network parsed; no cached ones',
      ENGINE_LABELS,
    );
    this.#hits = this.#counter(
      'cache_hits',
      'Requests whose result came from the cache, or from an equal picture before them in line',
      ENGINE_LABELS,
    );
    this.#restarts = this.#counter('engine_restarts', 'Processes of an engine that had to be replaced', [
      ...ENGINE_LABELS,
      'reason',
    ]);
    this.#countRequests();
    this.#countRestarts();
    this.#countLoads();
    this.#countMessages();
  }

  /** Counts of an engine begin with 0, and not with the first event: of that, Prometheus would see no increase. */
  begin(engine: EngineLabels): void {
    const labels = labelsOf(engine);
    this.#executed.inc(labels, 0);
    this.#hits.inc(labels, 0);
    for (const reason of RESTART_REASONS) this.#restarts.inc({ ...labels, reason }, 0);
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
      [...ENGINE_LABELS, ...CALLER_LABELS],
    );
    const failed = this.#counter(
      'inference_request_failure',
      'Requests that ended in an error, before an engine had them (without a model) or after',
      [...ENGINE_LABELS, ...CALLER_LABELS, 'reason', 'code'],
    );
    const dropped = this.#counter(
      'inference_request_dropped',
      'Requests that their own queue options gave up: replaced by a newer one, or expired',
      [...ENGINE_LABELS, ...CALLER_LABELS, 'reason'],
    );
    const request = this.#histogram(
      'inference_request_duration',
      'Time from the request to the result; no cached ones',
      ['node'],
    );
    const queue = this.#histogram('inference_queue_duration', 'Time in the queue; no cached ones', ['node']);
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
    this.#listen<RequestEvent>(requestEvents, ({ engine, caller, fate, code, cached, timing, ...event }) => {
      const labels = labelsOf(engine);
      const node = this.#nodes.of(caller?.node);
      const asked = { ...labels, node, camera: this.#cameras.of(caller?.camera) };
      if (fate === 'replaced' || fate === 'expired') return dropped.inc({ ...asked, reason: fate });
      if (fate !== 'completed') return failed.inc({ ...asked, reason: fate, code: code ?? '' });
      succeeded.inc(asked);
      if (cached) return this.#hits.inc(labels);
      this.#executed.inc(labels);
      queue.observe({ ...labels, node }, event.queue / 1000);
      if (timing === undefined) return;
      request.observe({ ...labels, node }, timing.total / 1000);
      input.observe({ ...labels, stage: 'decode' }, timing.decode / 1000);
      input.observe({ ...labels, stage: 'preprocess' }, timing.preprocess / 1000);
      infer.observe(labels, timing.inference / 1000);
      output.observe(labels, timing.postprocess / 1000);
    });
  }

  #countRestarts(): void {
    this.#listen<RestartEvent>(restartEvents, ({ engine, reason }) => {
      const labels = labelsOf(engine);
      this.#restartTimes.set(labels.digest, [...this.#recent(labels.digest), performance.now()]);
      this.#restarts.inc({ ...labels, reason });
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
    const labels = ['type', 'node', 'fate', 'code'] as const;
    const messages = this.#counter('messages', 'Messages that ended at nodes', labels);
    this.#listen<MessageEndEvent>(messageEvents, ({ type, node, fate, code }) =>
      messages.inc({ type, node: this.#nodes.of(node), fate, code: code ?? '' }),
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
