/**
 * What engines and nodes did since this process began, for Prometheus. Names and meanings follow NVIDIA Triton's
 * (https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/metrics.html), in the
 * units and types that Prometheus asks for: seconds in place of microseconds, histograms in place of sums.
 *
 * | nv_…                             | m2fp_…                                                              |
 * | -------------------------------- | ------------------------------------------------------------------- |
 * | inference_request_success        | inference_request_success_total{node,camera}                        |
 * | inference_request_failure        | inference_request_failure_total{node,camera,reason,code}            |
 * |                                  | inference_request_dropped_total{…,reason}: by its own queue options |
 * | inference_count, _exec_count     | inference_exec_count_total: batches are of one                      |
 * | inference_pending_request_count  | inference_pending_requests                                          |
 * | inference_request_duration_us    | inference_request_duration_seconds{node}, without cached requests   |
 * | inference_queue_duration_us      | inference_queue_duration_seconds{node}, without cached requests     |
 * | inference_compute_input_…_us     | inference_compute_input_duration_seconds{stage}: sum of both stages |
 * | inference_compute_infer_…_us     | inference_compute_infer_duration_seconds                            |
 * | inference_compute_output_…_us    | inference_compute_output_duration_seconds                           |
 * | cache_num_hits_per_model         | cache_hits_total, with those answered by an equal one before them   |
 *
 * Success, failure and dropped add up to all requests, those included that failed before any engine had them: these have no
 * `model`. Warm-ups and checks of a model are no requests. Names, types and units are as `promtool check metrics` wants them.
 */
import { Registry } from 'prom-client';
import type { EngineInfo } from '../engine/types.ts';
import type { Health } from './health.ts';
import { type JobLine, JobMetrics } from './metrics-jobs.ts';
import { HealthGauges } from './metrics-health.ts';
import { EngineGauges } from './metrics-engines.ts';
import { EventMetrics } from './metrics-events.ts';
import { type MetricFamily, readFamilies, toText } from './metrics-report.ts';

export type { MetricFamily } from './metrics-report.ts';

/** Of {@link Metrics.text}: for the header of an HTTP answer. */
export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** What a reading is of. */
export interface Reading {
  /** The engines as they are now. */
  engines: readonly EngineInfo[];
  /** Digest of the only model to tell of; absent = all. What concerns no model is told in any case. */
  digest?: string;
  /** What is told of the health; absent = nothing. */
  health?: Health;
}

/** Counts from its beginning until it is closed. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #events = new EventMetrics(this.#registry);
  readonly #engines = new EngineGauges(this.#registry);
  readonly #health = new HealthGauges(this.#registry);
  readonly #jobs = new JobMetrics(this.#registry);

  /** In Prometheus' text format, of the type {@link METRICS_CONTENT_TYPE}. */
  async text(reading: Reading): Promise<string> {
    return toText(await this.json(reading));
  }

  /** The same as plain data. */
  json({ engines, digest, health }: Reading): Promise<MetricFamily[]> {
    // No await before the reading: another one may be of other engines.
    for (const { manifest } of engines) this.#events.begin({ model: manifest.id, digest: manifest.digest });
    this.#engines.set(engines);
    this.#health.set(health);
    return readFamilies(this.#registry, digest);
  }

  /** Tells of a line of jobs until the function is called that it returns. @param node its name */
  watchJobs(node: string, read: () => Promise<JobLine>): () => void {
    return this.#jobs.watch(node, read);
  }

  /** How often processes of the model with this digest were replaced in the last ten minutes. */
  recentRestarts(digest: string): number {
    return this.#events.recentRestarts(digest);
  }

  close(): void {
    this.#events.close();
    this.#jobs.close();
  }
}

/** On `globalThis`, as the registry of engines is: all copies of this package in one Node-RED count together. */
const KEY = Symbol.for('@m2fp/node-red-human-parsing/metrics');

/** The metrics of this process; they begin with the first call. */
export function processMetrics(): Metrics {
  const holder: typeof globalThis & { [KEY]?: Metrics } = globalThis;
  return (holder[KEY] ??= new Metrics());
}
