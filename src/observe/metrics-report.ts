/** Metrics as plain data, and as Prometheus' text. */
import { type Metric, Registry } from 'prom-client';
import { DIGEST_DIGITS } from './metrics-events.ts';

/** One number. Of a histogram: of a bucket (with the label `le`), the sum or the count, by the name. */
export interface MetricSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Plain JSON. */
export interface MetricFamily {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  samples: MetricSample[];
}

/** What prom-client's `get` resolves to. */
interface Values {
  name: string;
  help: string;
  type: unknown;
  values: { metricName?: string; labels: Record<string, string | number>; value: number }[];
}

/** @param digest of the only model to tell of */
export async function readFamilies(registry: Registry, digest?: string): Promise<MetricFamily[]> {
  const label = digest?.slice(0, DIGEST_DIGITS);
  const all = (await registry.getMetricsAsJSON()) as unknown as Values[];
  return all.map(({ name, help, type, values }) => ({
    name,
    help,
    type: type as MetricFamily['type'],
    samples: values
      .filter(({ labels }) => label === undefined || (labels['digest'] ?? label) === label)
      .map(({ metricName = name, labels, value }) => ({
        name: metricName,
        labels: Object.fromEntries(Object.entries(labels).map(([key, text]) => [key, String(text)])),
        value,
      })),
  }));
}

/** By a registry of its own, because prom-client writes only whole ones. */
export function toText(families: MetricFamily[]): Promise<string> {
  const registry = new Registry();
  for (const { name, help, type, samples } of families) {
    const values = samples.map((sample) => ({ ...sample, metricName: sample.name }));
    const metric = { name, get: async () => ({ name, help, type, values }) };
    registry.registerMetric(metric as unknown as Metric);
  }
  return registry.metrics();
}
