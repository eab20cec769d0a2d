/** Checks what callers pass to an engine, and fills in the defaults. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { M2fpError } from '../errors.ts';
import { scoreThresholdOf } from '../parsing/index.ts';
import type { EngineOptions, ParseOptions } from './types.ts';

/** setTimeout takes no more. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** Preprocess takes no more either. */
const MAX_SIDE = 8192;

const DEFAULTS = {
  threads: 0,
  processes: 1,
  maxQueue: 8,
  timeout: 60_000,
  warmUp: false,
  idleUnload: 0,
  maxMemory: 0,
  cacheSize: 0,
};

function check(name: string, value: unknown, allowed: string, valid: boolean): void {
  if (valid) return;
  const got = typeof value === 'string' ? JSON.stringify(value) : String(value);
  throw new M2fpError('M2FP_BAD_OPTION', `The option ${name} must be ${allowed}, not ${got}.`);
}

function checkInteger(name: string, value: unknown, low: number, high: number): void {
  check(
    name,
    value,
    `a whole number from ${low} to ${high}`,
    Number.isInteger(value) && Number(value) >= low && Number(value) <= high,
  );
}

/** The options in full: `model` as an absolute path, `threads` at least 1. Throws M2FP_BAD_OPTION. */
export function completeEngineOptions(options: EngineOptions): Required<EngineOptions> {
  const {
    model,
    threads = DEFAULTS.threads,
    maxQueue = DEFAULTS.maxQueue,
    timeout = DEFAULTS.timeout,
  } = options;
  check('model', model, 'the folder of a converted model', typeof model === 'string' && model !== '');
  checkInteger('threads', threads, 0, 1024);
  checkInteger('maxQueue', maxQueue, 0, 10_000);
  checkInteger('timeout', timeout, 0, MAX_TIMEOUT);
  return {
    ...DEFAULTS,
    model: resolve(model),
    threads: threads === 0 ? availableParallelism() : threads,
    maxQueue,
    timeout,
  };
}

/** The options of one picture, without what is undefined. Throws M2FP_BAD_OPTION. */
export function checkParseOptions(options: ParseOptions): ParseOptions {
  const { shortSide, longSide, scoreThreshold } = options;
  if (shortSide !== undefined) checkInteger('shortSide', shortSide, 1, MAX_SIDE);
  if (longSide !== undefined) checkInteger('longSide', longSide, 1, MAX_SIDE);
  scoreThresholdOf(options);
  return {
    ...(shortSide !== undefined && { shortSide }),
    ...(longSide !== undefined && { longSide }),
    ...(scoreThreshold !== undefined && { scoreThreshold }),
  };
}
