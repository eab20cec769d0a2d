/** Checks what callers pass to an engine, and fills in the defaults. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { M2fpError } from '../errors.ts';
import { DEFAULT_LIMITS, MOST_BYTES, MOST_PIXELS } from '../image/limits.ts';
import type { ImageLimits } from '../image/types.ts';
import { scoreThresholdOf } from '../parsing/index.ts';
import { show } from '../parsing/options/options.ts';
import type { EngineOptions, QueueOptions } from './types.ts';
import type { ParseOptions } from '../parsing/types.ts';

/** setTimeout takes no more. */
export const MAX_TIMEOUT = 2 ** 31 - 1;

/** More than any machine has. */
export const MAX_MEBIBYTES = 2 ** 24;

/** Preprocess takes no more either. */
export const MAX_SIDE = 8192;

export const ENGINE_DEFAULTS = {
  threads: 0,
  processes: 1,
  maxQueue: 32,
  timeout: 60_000,
  warmUp: false,
  idleUnload: 0,
  maxMemory: null,
  cacheSize: 0,
  ...DEFAULT_LIMITS,
};

function check(name: string, value: unknown, allowed: string, valid: boolean): void {
  if (valid) return;
  throw new M2fpError('M2FP_BAD_OPTION', `The option ${name} must be ${allowed}, not ${show(value)}.`);
}

/** Throws M2FP_BAD_OPTION where the value is no whole number in this range. */
export function checkInteger(name: string, value: unknown, low: number, high: number): void {
  check(
    name,
    value,
    `a whole number from ${low} to ${high}`,
    Number.isInteger(value) && Number(value) >= low && Number(value) <= high,
  );
}

/**
 * The options in full: `model` as an absolute path. `threads` stays 0 only where the number of processes is the
 * engine's to choose. Throws M2FP_BAD_OPTION.
 */
export function completeEngineOptions(options: EngineOptions): Required<EngineOptions> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const complete = { ...ENGINE_DEFAULTS, ...Object.fromEntries(given) } as Required<EngineOptions>;
  const { model, threads, processes, maxQueue, timeout, warmUp, idleUnload, maxMemory, cacheSize } = complete;
  check('model', model, 'the folder of a converted model', typeof model === 'string' && model !== '');
  checkInteger('threads', threads, 0, 1024);
  checkInteger('processes', processes, 0, 64);
  checkInteger('maxQueue', maxQueue, 0, 10_000);
  checkInteger('timeout', timeout, 0, MAX_TIMEOUT);
  check('warmUp', warmUp, 'true or false', typeof warmUp === 'boolean');
  checkInteger('idleUnload', idleUnload, 0, MAX_TIMEOUT);
  if (maxMemory !== null) checkInteger('maxMemory', maxMemory, 0, MAX_MEBIBYTES);
  checkInteger('cacheSize', cacheSize, 0, MAX_MEBIBYTES);
  const limits = checkLimits(complete);
  return {
    model: resolve(model),
    threads: threads || coresEach(processes),
    processes,
    maxQueue,
    timeout,
    warmUp,
    idleUnload,
    maxMemory,
    cacheSize,
    ...limits,
  };
}

/** The limits of pictures among the options of an engine. Throws M2FP_BAD_OPTION. */
export function checkLimits({
  maxBytes,
  maxPixels,
}: Pick<ImageLimits, 'maxBytes' | 'maxPixels'>): ImageLimits {
  checkInteger('maxBytes', maxBytes, 1, MOST_BYTES);
  checkInteger('maxPixels', maxPixels, 1, MOST_PIXELS);
  return { maxBytes, maxPixels };
}

/** 0 where the number of processes is not known yet. */
function coresEach(processes: number): number {
  return processes === 0 ? 0 : Math.max(1, Math.floor(availableParallelism() / processes));
}

const QUEUE_DEFAULTS: Required<QueueOptions> = {
  policy: 'wait',
  lane: '',
  limit: 8,
  key: '',
  maxAge: 0,
  priority: 0,
};

/** The queue options in full. Throws M2FP_BAD_OPTION. */
export function completeQueueOptions(options: QueueOptions): Required<QueueOptions> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const complete = { ...QUEUE_DEFAULTS, ...Object.fromEntries(given) } as Required<QueueOptions>;
  const { policy, lane, limit, key, maxAge, priority } = complete;
  check('policy', policy, 'wait, latest or reject', ['wait', 'latest', 'reject'].includes(policy));
  check('lane', lane, 'a text', typeof lane === 'string');
  checkInteger('limit', limit, 0, 10_000);
  check('key', key, 'a text', typeof key === 'string');
  checkInteger('maxAge', maxAge, 0, MAX_TIMEOUT);
  check('priority', priority, 'a number', Number.isFinite(priority));
  return complete;
}

/** The options of one picture, without what is undefined. Throws M2FP_BAD_OPTION. */
export function checkParseOptions(options: ParseOptions): ParseOptions {
  const { shortSide, longSide, scoreThreshold, flip } = options;
  if (shortSide !== undefined) checkInteger('shortSide', shortSide, 1, MAX_SIDE);
  if (longSide !== undefined) checkInteger('longSide', longSide, 1, MAX_SIDE);
  scoreThresholdOf(options);
  if (flip !== undefined) check('flip', flip, 'true or false', typeof flip === 'boolean');
  return {
    ...(shortSide !== undefined && { shortSide }),
    ...(longSide !== undefined && { longSide }),
    ...(scoreThreshold !== undefined && { scoreThreshold }),
    ...(flip !== undefined && { flip }),
  };
}
