/** Checks what callers pass to an engine, and fills in the defaults. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { DEFAULT_LIMITS, MOST_BYTES, MOST_PIXELS, MOST_SHORT_SIDE } from '../image/limits.ts';
import type { ImageLimits } from '../image/types.ts';
import { scoreThresholdOf } from '../parsing/index.ts';
import {
  custom,
  flag,
  namesOf,
  number,
  oneOf,
  anyText,
  valuesOf,
  whole,
} from '../parsing/options/option-table.ts';
import { badOption } from '../parsing/options/options.ts';
import type { EngineOptions, QueueOptions, RequestLimits } from './types.ts';
import type { ParseOptions } from '../parsing/types.ts';

/** setTimeout takes no more. */
export const MAX_TIMEOUT = 2 ** 31 - 1;

/** More than any machine has. */
export const MAX_MEBIBYTES = 2 ** 24;

/** Preprocess takes no more either. */
export const MAX_SIDE = 8192;

/** More than any line needs. */
const MAX_WAITING = 10_000;

/** What an image may have; see `ImageLimits`. */
export const LIMIT_OPTIONS = {
  maxBytes: whole(1, MOST_BYTES, DEFAULT_LIMITS.maxBytes),
  maxPixels: whole(1, MOST_PIXELS, DEFAULT_LIMITS.maxPixels),
};

/** What engines of processes here and of workers elsewhere have in common; see {@link EngineOptions}. */
export const LINE_OPTIONS = {
  maxQueue: whole(0, MAX_WAITING, 32),
  timeout: whole(0, MAX_TIMEOUT, 60_000),
  cacheSize: whole(0, MAX_MEBIBYTES, 0),
  ...LIMIT_OPTIONS,
};

/** What engines of processes here have beside; see {@link EngineOptions}. */
export const PROCESS_OPTIONS = {
  threads: whole(0, 1024, 0),
  processes: whole(0, 64, 1),
  warmUp: flag(false),
  idleUnload: whole(0, MAX_TIMEOUT, 0),
  maxMemory: custom<number | null, number | null>((name, given) =>
    given === undefined || given === null ? null : whole(0, MAX_MEBIBYTES, 0).read(name, given),
  ),
  ...LINE_OPTIONS,
};

/**
 * The options in full: `model` as an absolute path. `threads` stays 0 only where the number of processes is the
 * engine's to choose.
 * @throws {M2fpError} `M2FP_BAD_OPTION`
 */
export function completeEngineOptions({ model, ...options }: EngineOptions): Required<EngineOptions> {
  if (typeof model !== 'string' || model === '')
    throw badOption('model', model, 'the folder of a converted model');
  const values = valuesOf(PROCESS_OPTIONS, options);
  const { threads, processes } = values;
  return { model: resolve(model), ...values, threads: threads || coresEach(processes) };
}

/** The limits of images among the options of an engine. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function checkLimits(limits: Partial<Pick<ImageLimits, 'maxBytes' | 'maxPixels'>>): ImageLimits {
  return valuesOf(LIMIT_OPTIONS, limits);
}

/** 0 where the number of processes is not known yet. */
function coresEach(processes: number): number {
  return processes === 0 ? 0 : Math.max(1, Math.floor(availableParallelism() / processes));
}

/** See {@link QueueOptions}. */
const QUEUE_OPTIONS = {
  policy: oneOf(['wait', 'latest', 'reject'], 'wait'),
  lane: anyText(''),
  limit: whole(0, MAX_WAITING, 8),
  key: anyText(''),
  maxAge: whole(0, MAX_TIMEOUT, 0),
  priority: number(-Number.MAX_VALUE, Number.MAX_VALUE, 0),
};

/** The queue options in full. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function completeQueueOptions(options: QueueOptions): Required<QueueOptions> {
  return valuesOf(QUEUE_OPTIONS, options);
}

/** What {@link ParseOptions} may be where they are given. */
export const PARSE_OPTIONS = {
  shortSide: whole(1, MOST_SHORT_SIDE, null),
  longSide: whole(1, MAX_SIDE, null),
  scoreThreshold: custom<unknown, number>((_name, scoreThreshold) =>
    scoreThresholdOf({ scoreThreshold: scoreThreshold as number }),
  ),
  flip: flag(false),
};

const REQUEST_LIMITS = { timeout: LINE_OPTIONS.timeout, ...LIMIT_OPTIONS };

/** The limits that are given, without what is undefined. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function checkRequestLimits(limits: RequestLimits): RequestLimits {
  valuesOf(REQUEST_LIMITS, limits);
  return withoutUndefined(REQUEST_LIMITS, limits);
}

/** The options of one image, without what is undefined. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function checkParseOptions(options: ParseOptions): ParseOptions {
  valuesOf(PARSE_OPTIONS, options);
  return withoutUndefined(PARSE_OPTIONS, options);
}

/** Those of `options` that are in the table. */
function withoutUndefined<Options extends object>(
  table: Parameters<typeof namesOf>[0],
  options: Options,
): Options {
  const given = Object.entries(options).filter(
    ([name, value]) => value !== undefined && namesOf(table).includes(name),
  );
  return Object.fromEntries(given) as Options;
}
