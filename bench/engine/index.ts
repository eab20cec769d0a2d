/**
 * `npm run bench -- engine [--json] [--model FOLDER] [--full]`: what the engine and Node-RED around it cost, each
 * beside something to compare it with that takes turns with it.
 *
 * `--model` is the folder of a converted model, the bundled one by default. `--full` adds a model of the published
 * one's size with random weights. Node-RED runs the built package: `npm run build` comes first.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { shutdownEngines } from '../../src/engine/index.ts';
import { M2fpError } from '../../src/errors.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { installedPackage } from '../../test/support/installed-package.ts';
import { benchCache, type CacheResult } from './cache.ts';
import { benchDeploy, type DeployResult } from './deploy.ts';
import { BenchFlow } from './flow.ts';
import { makeFullSizeModel } from './full-size-model.ts';
import { benchHttp, type HttpResult } from './http.ts';
import { lines } from './lines.ts';
import { benchMemory, type MemoryResult } from './memory.ts';
import { drawImages, Images } from './images.ts';
import { benchPools, type PoolsResult } from './pools.ts';
import type { Rounds } from './rounds.ts';

/** What the published model makes 640 x 960 of. */
const IMAGE_SIZE = { width: 960, height: 640 };
const SCENES = 8;

export interface Effort {
  pools: Rounds;
  http: Rounds;
  deploy: Rounds;
  cache: Rounds;
  /** Pictures that the memory is watched over. */
  images: number;
}

const EFFORT: Effort = {
  pools: { atLeast: 2, atMost: 5, seconds: 20 },
  http: { atLeast: 5, atMost: 30, seconds: 8 },
  deploy: { atLeast: 2, atMost: 5, seconds: 8 },
  cache: { atLeast: 3, atMost: 20, seconds: 3 },
  images: 200,
};

export interface ModelResult {
  model: { id: string; digest: string; precision: string };
  pools: PoolsResult;
  http: HttpResult;
  deploy: DeployResult;
  cache: CacheResult;
  memory: MemoryResult;
}

export interface EngineBench {
  cores: number;
  /** Mean number of processes that wanted to run in the last minute, as the system tells it. */
  load: { before: number; after: number };
  seconds: number;
  models: ModelResult[];
}

interface Options {
  model: string;
  full: boolean;
}

/** @throws M2FP_BAD_OPTION for anything but the options told above */
export function engineOptions(args: string[]): Options {
  try {
    const { values } = parseArgs({
      args,
      options: { model: { type: 'string' }, full: { type: 'boolean', default: false } },
    });
    return { model: resolve(values.model ?? bundledModelFolder()), full: values.full };
  } catch (error) {
    throw new M2fpError('M2FP_BAD_OPTION', (error as Error).message, { cause: error });
  }
}

/** @param model its folder */
export async function benchModel(model: string, effort: Effort): Promise<ModelResult> {
  const { id, digest, precision } = await readManifest(model);
  const images = new Images(await drawImages(Array.from({ length: SCENES }, () => IMAGE_SIZE)));
  // What is alone comes first: nothing of it is left when the others begin.
  const memory = await benchMemory(model, effort.images);
  const pools = await benchPools(model, images, effort.pools);
  const cache = await benchCache(model, images, effort.cache);
  const flow = await BenchFlow.start(model);
  try {
    const deploy = await benchDeploy(flow, effort.deploy);
    const http = await benchHttp(flow, model, images, effort.http);
    return { model: { id, digest, precision }, pools, http, deploy, cache, memory };
  } finally {
    await flow.stop();
  }
}

export async function benchEngine(log: (line: string) => void, args: string[]): Promise<EngineBench> {
  const { model, full } = engineOptions(args);
  // Throws where the package is not built.
  installedPackage();
  const start = performance.now();
  const before = loadavg()[0]!;
  const models: ModelResult[] = [];
  const tell = async (folder: string): Promise<void> => {
    const result = await benchModel(folder, EFFORT);
    for (const line of lines(result)) log(line);
    models.push(result);
  };
  const folder = await mkdtemp(join(tmpdir(), 'm2fp-bench-'));
  try {
    await tell(model);
    if (full) await tell(await makeFullSizeModel(folder));
  } finally {
    await shutdownEngines();
    await rm(folder, { recursive: true, force: true });
  }
  const load = { before, after: loadavg()[0]! };
  const seconds = (performance.now() - start) / 1000;
  log(
    `${availableParallelism()} cores, load average ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after; ` +
      `${seconds.toFixed(0)} s`,
  );
  return { cores: availableParallelism(), load, seconds, models };
}
