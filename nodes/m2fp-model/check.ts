/** What the button of the config node's form finds out: whether a deployed model works, and how fast it is. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { M2fpError } from '../../src/errors.ts';
import type { Int8Speed } from '../../src/m2fp/int8-speed.ts';
import { DEFAULT_MIN_SCORE } from '../../src/parsing/postprocess/postprocess.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import type { ModelNode } from '../common/model.ts';
import { services } from '../common/services.ts';

/** What came of trying a deployed model. */
export interface CheckResult {
  /** Seconds to load it; null where it was loaded already. */
  load: number | null;
  /** Seconds of the sample picture, without the time that it waited. */
  seconds: number;
  /** Bytes of all processes of this machine together; null where the system does not tell, and there are none. */
  memory: number | null;
  provider: string;
  threads: number;
  processes: number;
  /** Null for a model of single persons. */
  persons: number | null;
  parts: number;
  width: number;
  height: number;
  /** How much faster int8 is on this machine; null where it could not be measured, and where workers parse. */
  int8: Int8Speed | null;
}

/**
 * Loads a deployed model, a published one after its download, and parses the sample picture with it. Then measures what int8
 * brings here, where nobody has before.
 * @throws {M2fpError} what loading and parsing throw
 */
export async function checkModel(model: ModelNode, signal: AbortSignal): Promise<CheckResult> {
  const engine = await model.engine(signal);
  const wasLoaded = ['ready', 'running'].includes(engine.info().state);
  await engine.load();
  const options = { ...model.parseOptions(), scoreThreshold: DEFAULT_MIN_SCORE };
  const parse = async () => engine.parse({ image: await sampleImage(), options, trial: true, signal });
  // The first run of a session takes longer than all that follow.
  if (!wasLoaded) await parse();
  const { width, height, persons, parts, timing } = await parse();
  const { loadSeconds, manifest, processes, provider, threads } = engine.info();
  // What workers take, they take of other machines.
  const resident = processes.flatMap(({ rss, host }) => (rss === null || host !== undefined ? [] : [rss]));
  return {
    load: wasLoaded ? null : loadSeconds,
    seconds: (timing.total - timing.queue) / 1000,
    memory: resident.length === 0 ? null : resident.reduce((sum, rss) => sum + rss, 0),
    provider,
    threads,
    processes: processes.length,
    persons: manifest.humanIndex === null ? null : persons.length,
    parts: parts.length,
    width,
    height,
    int8: processes.some(({ host }) => host !== undefined)
      ? null
      : await services.int8Speed(signal).catch(() => null),
  };
}

/** A picture with some bytes behind its end that no decoder reads, so that no result is kept of it in a cache. */
async function sampleImage(): Promise<Buffer> {
  const path = join(bundledModelFolder(), 'samples', 'two-people.png');
  const image = await readFile(path).catch((error: unknown) => {
    throw new M2fpError('M2FP_NO_IMAGE', `The sample picture ${path} is missing: reinstall the package.`, {
      cause: error,
    });
  });
  return Buffer.concat([image, randomBytes(8)]);
}
