/**
 * What a probe is answered over HTTP, by Node-RED and by workers alike: `/live`, `/ready`, `/health` and `/metrics`.
 */
import type { Health } from './health.ts';
import { METRICS_CONTENT_TYPE } from './metrics.ts';

export const PROBES = ['live', 'ready', 'health', 'metrics'] as const;
export type Probe = (typeof PROBES)[number];

/** Plain data. */
export interface ProbeAnswer {
  statusCode: 200 | 503;
  headers: Record<string, string>;
  /** JSON; a text for `metrics`. */
  body: object | string;
}

/** Where the answers come from; each is asked only when it is needed. */
export interface ProbeSource {
  health(): Health | Promise<Health>;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
}

/** Nobody on the way may keep the answer. */
const FRESH = { 'cache-control': 'no-store' };

/**
 * `live`: 200 whenever there is an answer. `ready`: 200 where a picture that comes now would be parsed, else 503, with the
 * reasons. `health`: the same status, and all that is known. `metrics`: 200, whatever they tell.
 */
export async function answerProbe(probe: Probe, source: ProbeSource): Promise<ProbeAnswer> {
  if (probe === 'live') return { statusCode: 200, headers: FRESH, body: { live: true } };
  if (probe === 'metrics') {
    const headers = { ...FRESH, 'content-type': METRICS_CONTENT_TYPE };
    return { statusCode: 200, headers, body: await source.metrics() };
  }
  const health = await source.health();
  const { live: _live, ...readiness } = health;
  const body = probe === 'ready' ? readiness : health;
  return { statusCode: health.ready ? 200 : 503, headers: FRESH, body };
}

/** The probe that the end of an HTTP path names, for example `/m2fp/ready`, in any case; undefined where it names none. */
export function probeOf(path: string): Probe | undefined {
  const end = /([^/]*)\/?$/.exec(path)![1]!.toLowerCase();
  return PROBES.find((probe) => probe === end);
}
