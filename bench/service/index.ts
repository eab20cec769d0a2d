/**
 * `npm run bench -- service [--json] [--no-full] [--no-workers]`: the example "Parsing service" under load, in a real Node-RED with the
 * packed package: how much it answers, how late, with what memory, and what it costs beside the model. `npm run build` comes first;
 * the part with workers wants redis-server.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readFile } from 'node:fs/promises';
import { M2fpError } from '../../src/errors.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { installedPackage } from '../../test/support/installed-package.ts';
import { makeFullSizeModel } from '../engine/full-size-model.ts';
import { drawImages, Images } from '../engine/images.ts';
import { repeat, type Rounds } from '../engine/rounds.ts';
import { median } from '../statistics.ts';
import { lines } from './lines.ts';
import { engineMs, factsOf, type Load, load, type LoadFacts, overheadOf } from './load.ts';
import { BenchService, type LoopReading } from './service.ts';
import { benchWorkers, type WorkersResult } from './workers.ts';

const IMAGE_SIZE = { width: 960, height: 640 };
const SCENES = 8;

export interface ServiceEffort {
  clients: readonly number[];
  /** Seconds of each load. */
  seconds: number;
  load: Rounds;
  workers: Rounds | null;
  /** Pictures of the full-size model; 0: it is left out. */
  fullSize: number;
}

const EFFORT: ServiceEffort = {
  clients: [1, 2, 4, 8, 16, 64],
  seconds: 4,
  load: { atLeast: 3, atMost: 3, seconds: 0 },
  workers: { atLeast: 3, atMost: 3, seconds: 0 },
  fullSize: 7,
};

export interface ClientsResult extends LoadFacts, LoopReading {
  clients: number;
  engineMB: number;
}

export interface OverheadResult {
  pictures: number;
  engineMs: number;
  overheadMs: number;
  /** Median over the pictures of overhead by engine time. */
  share: number;
}

export interface ServiceBench {
  cores: number;
  processor: string;
  instructions: string[];
  load: { before: number; after: number };
  seconds: number;
  clients: ClientsResult[];
  workers: WorkersResult | null;
  bundled: OverheadResult;
  fullSize: OverheadResult | null;
}

/** Those that matter to the network's arithmetic, as Linux tells them. */
async function instructions(): Promise<string[]> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const flags = /^flags\s*:(.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
  return ['avx2', 'avx512f', 'avx512_vnni', 'avx_vnni'].filter((flag) => flags.includes(flag));
}

async function underLoad(
  service: BenchService,
  images: Images,
  effort: ServiceEffort,
): Promise<ClientsResult[]> {
  const found = await repeat(effort.load, async () => {
    const round: { load: Load; loop: LoopReading; engineMB: number }[] = [];
    for (const clients of effort.clients) {
      await service.loop();
      const one = await load(service, images, clients, effort.seconds);
      round.push({ load: one, loop: await service.loop(), engineMB: service.engineMB() });
    }
    return round;
  });
  return effort.clients.map((clients, i) => {
    const each = found.map((round) => round[i]!);
    return {
      clients,
      ...factsOf(each.map((one) => one.load)),
      longestMs: Math.max(...each.map(({ loop }) => loop.longestMs)),
      p99LateMs: median(each.map(({ loop }) => loop.p99LateMs)),
      nodeRedMB: Math.max(...each.map(({ loop }) => loop.nodeRedMB)),
      engineMB: Math.max(...each.map(({ engineMB }) => engineMB)),
    };
  });
}

/** One client, so that nothing waits. */
async function overhead(service: BenchService, images: Images, pictures: number): Promise<OverheadResult> {
  for (let i = 0; i < 2; i++) await service.parse(images.next());
  const found: { overhead: number; engine: number }[] = [];
  for (let i = 0; i < pictures; i++) {
    const answer = await service.parse(images.next());
    found.push({ overhead: overheadOf(answer), engine: engineMs(answer.timing!) });
  }
  return {
    pictures,
    engineMs: median(found.map(({ engine }) => engine)),
    overheadMs: median(found.map((one) => one.overhead)),
    share: median(found.map((one) => one.overhead / one.engine)),
  };
}

async function withService<T>(model: object, work: (service: BenchService) => Promise<T>): Promise<T> {
  const service = await BenchService.start(model);
  try {
    return await work(service);
  } finally {
    await service.stop();
  }
}

async function fullSize(images: Images, pictures: number): Promise<OverheadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'm2fp-bench-'));
  try {
    const model = { source: 'folder', folder: await makeFullSizeModel(folder) };
    return await withService(model, (service) => overhead(service, images, pictures));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function measureService(effort: ServiceEffort): Promise<ServiceBench> {
  // Throws where the package is not built.
  installedPackage();
  const start = performance.now();
  const before = loadavg()[0]!;
  const images = new Images(await drawImages(Array.from({ length: SCENES }, () => IMAGE_SIZE)));
  const model = bundledModelFolder();
  const [bundled, clients] = await withService({}, async (service) => [
    await overhead(service, images, 3 * effort.fullSize || 3),
    await underLoad(service, images, effort),
  ]);
  const workers = effort.workers && (await benchWorkers(model, images, effort.workers));
  const full = effort.fullSize > 0 ? await fullSize(images, effort.fullSize) : null;
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    instructions: await instructions(),
    load: { before, after: loadavg()[0]! },
    seconds: (performance.now() - start) / 1000,
    clients,
    workers,
    bundled,
    fullSize: full,
  };
}

/** @throws M2FP_BAD_OPTION for anything but the options told above */
export function serviceEffort(args: string[]): ServiceEffort {
  try {
    const { values } = parseArgs({
      args,
      allowNegative: true,
      options: { full: { type: 'boolean', default: true }, workers: { type: 'boolean', default: true } },
    });
    return {
      ...EFFORT,
      workers: values.workers ? EFFORT.workers : null,
      fullSize: values.full ? EFFORT.fullSize : 0,
    };
  } catch (error) {
    throw new M2fpError('M2FP_BAD_OPTION', (error as Error).message, { cause: error });
  }
}

export async function benchService(log: (line: string) => void, args: string[]): Promise<ServiceBench> {
  const result = await measureService(serviceEffort(args));
  for (const line of lines(result)) log(line);
  return result;
}
