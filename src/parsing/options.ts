/** Checks of the options that colorize, crop and their kin share; each failure is an `M2FP_BAD_OPTION`. */
import { M2fpError } from '../errors.ts';

const SHOWN_LENGTH = 80;

/** A short text of what was given, for a message. */
function show(value: unknown): string {
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

/** The error for the option `name`: what was given and what is allowed. */
export function badOption(name: string, given: unknown, allowed: string): M2fpError {
  return new M2fpError('M2FP_BAD_OPTION', `Option "${name}" is ${show(given)}; allowed: ${allowed}.`);
}

/** `options` as an object of which every name is in `names`; undefined counts as no options. */
export function knownOptions<T extends object>(options: T | undefined, names: readonly (keyof T & string)[]): T {
  const given: unknown = options ?? {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw badOption('options', given, `an object with any of ${names.join(', ')}`);
  }
  const unknown = Object.keys(given).find((name) => !(names as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new M2fpError('M2FP_BAD_OPTION', `There is no option "${unknown}"; allowed: ${names.join(', ')}.`);
  }
  return given as T;
}

/** One of the texts `allowed`; `fallback` where nothing was given. */
export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[], fallback: T): T {
  if (value === undefined) return fallback;
  if (!(allowed as readonly unknown[]).includes(value)) throw badOption(name, value, allowed.join(', '));
  return value as T;
}

/** A number from `min` to `max`, whole where `integer` is set; `fallback` where nothing was given. */
export function numberIn(
  name: string,
  value: unknown,
  range: { min: number; max: number; integer?: boolean },
  fallback: number,
): number {
  if (value === undefined) return fallback;
  const { min, max, integer = false } = range;
  const fits = Number.isFinite(value) && (value as number) >= min && value <= max && (!integer || Number.isInteger(value));
  if (!fits) {
    const kind = integer ? 'a whole number' : 'a number';
    throw badOption(name, value, max === Infinity ? `${kind} of at least ${min}` : `${kind} from ${min} to ${max}`);
  }
  return value;
}

/**
 * A label's name in the form in which names are compared: lower case, with blanks and underscores as hyphens,
 * so that "left arm" is "Left-arm".
 */
export function labelKey(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, '-');
}

/**
 * The indices of the labels that `value` names (see {@link labelKey}); null where nothing was given.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for anything but a list of names of `labels`.
 */
export function labelIndices(name: string, value: unknown, labels: readonly string[]): Set<number> | null {
  if (value === undefined) return null;
  const allowed = `a list of ${labels.join(', ')}`;
  if (!Array.isArray(value)) throw badOption(name, value, allowed);
  const keys = labels.map(labelKey);
  const indices = value.map((label: unknown) => {
    const index = typeof label === 'string' ? keys.indexOf(labelKey(label)) : -1;
    if (index < 0) throw badOption(name, label, allowed);
    return index;
  });
  return new Set(indices);
}

/** Index of the background: the network has no query class below it, so it is always the first. */
export const BACKGROUND_INDEX = 0;

/** Index of the whole-person label, -1 where there is none (single-human models). */
export function humanIndex(labels: readonly string[]): number {
  return labels.findLastIndex((label) => labelKey(label) === 'human');
}
