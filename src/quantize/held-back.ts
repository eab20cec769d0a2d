/** What an int8 model is worth: it and the float model on the pictures that were held back. */
import { availableParallelism } from 'node:os';
import { createPipeline } from '../engine/child/pipeline.ts';
import { openSession } from '../engine/child/session.ts';
import type { NetworkInput } from '../image/types.ts';
import type { Agreement, Int8Report } from '../m2fp/int8-origin.ts';
import type { ModelManifest } from '../m2fp/manifest.ts';
import { median } from '../numbers.ts';
import { agreementOf, agreementOverall, type Outline, outlineOf } from '../parsing/agreement.ts';
import { int8Instructions, processorFacts } from '../processor.ts';
import { throwIfCancelled } from '../store/cancel.ts';
import type { Pictures } from './pictures.ts';

/** A model on this machine. */
export interface Model {
  folder: string;
  manifest: ModelManifest;
}

export interface HeldBackOptions {
  float: Model;
  int8: Model;
  pictures: Pictures;
  signal?: AbortSignal | undefined;
  onProgress: (share: number) => void;
}

/** Of one picture and one model. */
interface Result {
  outline: Outline;
  /** Milliseconds of the network. */
  inference: number;
  /** Milliseconds of processor time, of all of it. */
  processor: number;
}

type Results = Map<string, Result>;

/** Digits behind the point of what is kept. */
const DIGITS = 4;

/**
 * Both models on the pictures that `pictures` holds back. One model is loaded at a time, and little is kept of a parsing, so
 * memory is that of one engine. The float model has one half of the pictures before the int8 one and the other half after
 * it: what else the machine does meanwhile slows down both.
 * @returns undefined where no picture was held back, or none can be read any more
 * @throws M2fpError M2FP_ENGINE_UNAVAILABLE, M2FP_ENGINE_CRASHED, M2FP_CANCELLED
 */
export async function compareHeldBack({
  float,
  int8,
  pictures,
  signal,
  onProgress,
}: HeldBackOptions): Promise<Int8Report | undefined> {
  const files = pictures.heldBack;
  const half = Math.ceil(files.length / 2);
  const threads = availableParallelism();
  let provider = '';
  let done = 0;
  const run = async ({ folder, manifest }: Model, some: readonly string[], into: Results): Promise<void> => {
    if (some.length === 0) return;
    const pipeline = createPipeline(await openSession(folder, threads), manifest);
    provider = pipeline.provider;
    try {
      await pipeline.warmUp();
      for (const file of some) {
        throwIfCancelled(signal);
        const input = await pictures.read(file);
        if (input !== undefined) {
          const before = process.cpuUsage();
          const parsing = await pipeline.parse(asSeen(input), {});
          const { user, system } = process.cpuUsage(before);
          into.set(file, {
            outline: outlineOf(parsing),
            inference: parsing.timing.inference,
            processor: (user + system) / 1000,
          });
        }
        onProgress(++done / (2 * files.length));
      }
    } finally {
      await pipeline.close();
    }
  };
  const results = { float: new Map<string, Result>(), int8: new Map<string, Result>() };
  await run(float, files.slice(0, half), results.float);
  await run(int8, files, results.int8);
  await run(float, files.slice(half), results.float);

  // One that was changed meanwhile may be missing in either.
  const both = files.filter((file) => results.float.has(file) && results.int8.has(file));
  if (both.length === 0) return undefined;
  const least = float.manifest.scoreThreshold;
  const compared = both.map((file) => {
    const agreement = agreementOf(results.float.get(file)!.outline, results.int8.get(file)!.outline, least);
    if (agreement.foreground === null) pictures.showsNobody(file);
    return agreement;
  });
  const seconds = (what: 'inference' | 'processor') => {
    const of = (found: Results) => rounded(median(both.map((file) => found.get(file)![what])) / 1000);
    return { float: of(results.float), int8: of(results.int8) };
  };
  const processor = await processorFacts();
  return {
    agreement: shortened(agreementOverall(compared)),
    seconds: seconds('inference'),
    processorSeconds: seconds('processor'),
    machine: {
      processor: processor.model,
      instructions: int8Instructions(processor),
      threads,
      provider,
    },
  };
}

/** The picture at the size at which the network sees it: what is finer, both models would only make up in the same way. */
function asSeen(input: NetworkInput): NetworkInput {
  if (input.rule.kind === 'canvas') return input;
  return { ...input, source: { ...input.source, width: input.width, height: input.height } };
}

function shortened(agreement: Agreement): Agreement {
  const figures = JSON.stringify(agreement, (_key, value: unknown) =>
    typeof value === 'number' ? rounded(value) : value,
  );
  return JSON.parse(figures) as Agreement;
}

function rounded(value: number): number {
  return Math.round(value * 10 ** DIGITS) / 10 ** DIGITS;
}
