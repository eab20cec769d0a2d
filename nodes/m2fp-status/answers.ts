/** What the status node puts into messages. */
import type { NodeMessageInFlow } from 'node-red';
import { processMetrics } from '../../src/observe/metrics.ts';
import { answerProbe, type Probe, probeOf, PROBES } from '../../src/observe/probes.ts';
import { badOption } from '../../src/parsing/options/options.ts';
import { SITE_ENDS, type SiteAnswer, siteAnswer } from '../../src/service/site.ts';
import { FIELDS } from './config.ts';
import { engineFacts } from './facts.ts';
import type { Look } from './look.ts';

type Format = 'json' | 'health' | 'ready' | 'live' | 'prometheus' | 'path';

export class Answers {
  readonly #config: { format: unknown; probe: unknown };
  readonly #look: () => Promise<Look>;

  /** @param look is asked for messages that need it: nothing that hangs keeps `live` from its answer */
  constructor(config: { format: unknown; probe: unknown }, look: () => Promise<Look>) {
    this.#config = config;
    this.#look = look;
  }

  /**
   * The message with its answer.
   * @param taken where somebody has looked already
   * @throws {M2fpError} `M2FP_BAD_OPTION` for a format that there is not, and a path that names no probe
   */
  async to(msg: NodeMessageInFlow, taken?: Look): Promise<NodeMessageInFlow> {
    let latest = taken;
    const look = async (): Promise<Look> => (latest ??= await this.#look());
    const format = FIELDS.format.read('format', this.#config.format);
    const page = format === 'path' ? await siteOf(msg) : undefined;
    if (page) {
      msg.payload = page.body;
      msg['headers'] = { ...without(msg['headers'], Object.keys(page.headers)), ...page.headers };
      msg['statusCode'] = page.statusCode;
    } else if (format === 'json') {
      const { health, engines, ...of } = await look();
      const metrics = await processMetrics().json({ health, engines, ...of });
      msg.payload = { health, engines: engines.map(engineFacts), metrics };
    } else {
      const { statusCode, headers, body } = await answerProbe(probeFor(format, msg), {
        health: async () => (await look()).health,
        metrics: async () => processMetrics().text(await look()),
      });
      msg.payload = body;
      if (format !== 'health')
        msg['headers'] = { ...without(msg['headers'], Object.keys(headers)), ...headers };
      if (format !== 'health' && format !== 'prometheus') msg['statusCode'] = statusCode;
    }
    if (this.#config.probe && !ALWAYS.has(format))
      msg['statusCode'] = (await look()).health.ready ? 200 : 503;
    return msg;
  }
}

/** These set the status whatever the form says of it, which does not ask. */
const ALWAYS: ReadonlySet<Format> = new Set(['ready', 'live', 'path']);

/** What is asked for beside the probes, by the path; undefined where that is none of it. */
async function siteOf(msg: NodeMessageInFlow): Promise<SiteAnswer | undefined> {
  const { path, route } = (msg['req'] ?? {}) as { path?: unknown; route?: { path?: unknown } };
  if (typeof path !== 'string' || probeOf(path) !== undefined) return undefined;
  return siteAnswer(path, typeof route?.path === 'string' ? route.path : path);
}

function probeFor(format: Exclude<Format, 'json'>, msg: NodeMessageInFlow): Probe {
  if (format === 'prometheus') return 'metrics';
  if (format !== 'path') return format;
  const { path } = (msg['req'] ?? {}) as { path?: unknown };
  // What comes from elsewhere, or was sent for a change, has no path.
  if (typeof path !== 'string') return 'health';
  const probe = probeOf(path);
  if (probe === undefined) {
    const ends = [...PROBES.map((name) => `/${name}`), ...SITE_ENDS].join(', ');
    throw badOption('path', path, `one that ends in ${ends}`);
  }
  return probe;
}

/** The headers that the message has for the HTTP answer, but for those named. */
function without(headers: unknown, names: readonly string[]): object {
  if (typeof headers !== 'object' || headers === null) return {};
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name.toLowerCase())));
}
