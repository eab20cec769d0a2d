/** Checks of the options that colorize, crop and their kin share; each failure is an `M2FP_BAD_OPTION`. */
import { M2fpError } from '../../errors.ts';
import type { Doubtful, Parsing } from '../types.ts';

const SHOWN_LENGTH = 80;

/** Entries of a list or an object that a message shows, and levels of them. */
const SHOWN_ENTRIES = 10;
const SHOWN_LEVELS = 3;

/** Names that an option may list: no model has as many labels. */
export const MAX_NAMES = 1000;

/** The start of `value`, which anybody may have sent, so that showing it takes no time however large it is. */
function startOf(value: unknown, levels = SHOWN_LEVELS): unknown {
  if (typeof value === 'string') return value.slice(0, SHOWN_LENGTH + 1);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (levels === 0) return '…';
  if (Array.isArray(value)) return value.slice(0, SHOWN_ENTRIES).map((entry) => startOf(entry, levels - 1));
  if ('toJSON' in value) return value;
  const names = Object.keys(value).slice(0, SHOWN_ENTRIES);
  return Object.fromEntries(
    names.map((name) => [
      name.slice(0, SHOWN_LENGTH),
      startOf((value as Record<string, unknown>)[name], levels - 1),
    ]),
  );
}

/** A short text of what was given, for a message. */
export function show(value: unknown): string {
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  let text: string;
  try {
    text = JSON.stringify(startOf(value)) ?? Object.prototype.toString.call(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

/** The error for the option `name`: what was given and what is allowed. */
export function badOption(name: string, given: unknown, allowed: string): M2fpError {
  return new M2fpError('M2FP_BAD_OPTION', `Option "${name}" is ${show(given)}; allowed: ${allowed}.`);
}

/** The same for an object of more than {@link MAX_NAMES} entries, which is not shown: that would list them once more. */
export function tooMany(name: string, allowed: string): M2fpError {
  return new M2fpError(
    'M2FP_BAD_OPTION',
    `Option "${name}" is an object of more than ${MAX_NAMES} entries; allowed: ${allowed}.`,
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a whole number from `min` to `max`. */
export function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

/**
 * `options`, or none where undefined. A misspelt option would otherwise pass without effect, so:
 * @throws {M2fpError} `M2FP_BAD_OPTION` for anything but an object with no other names than `names`.
 */
export function knownOptions<T extends object>(
  options: T | undefined,
  names: readonly (keyof T & string)[],
): Partial<T> {
  if (options === undefined) return {};
  if (!isRecord(options)) throw badOption('options', options, `an object with any of ${names.join(', ')}`);
  const allowed: readonly string[] = names;
  const unknown = Object.keys(options).find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `There is no option "${unknown.slice(0, SHOWN_LENGTH)}"; allowed: ${names.join(', ')}.`,
    );
  }
  return options;
}

/**
 * The entries of an object that somebody may have sent; null where there are more than {@link MAX_NAMES}, whose values
 * are not read: a million take ten times as long as their names.
 */
export function entriesWithin<T>(object: Readonly<Record<string, T>>): [string, T][] | null {
  const names = Object.keys(object);
  return names.length > MAX_NAMES ? null : names.map((name) => [name, object[name]!]);
}

/** One of the texts `allowed`; `fallback` where nothing was given. */
export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[], fallback: T): T {
  if (value === undefined) return fallback;
  const found = allowed.find((text) => text === value);
  if (found === undefined) throw badOption(name, value, allowed.join(', '));
  return found;
}

/** true or false; `fallback` where nothing was given. */
export function flag(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw badOption(name, value, 'true, false');
  return value;
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
  const isNumber = typeof value === 'number' && (integer ? Number.isInteger(value) : Number.isFinite(value));
  if (!isNumber || value < min || value > max) {
    const kind = integer ? 'a whole number' : 'a number';
    throw badOption(
      name,
      value,
      max === Infinity ? `${kind} of at least ${min}` : `${kind} from ${min} to ${max}`,
    );
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
 * For each label the index of the first that is called the same (see {@link labelKey}). Labels of one name are one label
 * to whoever reads names: they are chosen, coloured and counted together.
 */
export function firstOfName(labels: readonly string[]): number[] {
  const firsts = new Map<string, number>();
  return labels.map((label, index) => {
    const key = labelKey(label);
    if (!firsts.has(key)) firsts.set(key, index);
    return firsts.get(key)!;
  });
}

/** The indices of the labels that are called `name` (see {@link labelKey}): a model may have two of one name. */
export function indicesOf(name: string, labels: readonly string[]): number[] {
  const key = labelKey(name);
  return labels.flatMap((label, index) => (labelKey(label) === key ? [index] : []));
}

/**
 * The indices of the labels that `value` names (see {@link indicesOf}); null where nothing was given.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for anything but a list of names of `labels`.
 */
export function labelIndices(name: string, value: unknown, labels: readonly string[]): Set<number> | null {
  if (value === undefined) return null;
  const allowed = `a list of ${labels.join(', ')}`;
  if (!Array.isArray(value) || value.length > MAX_NAMES) throw badOption(name, value, allowed);
  const chosen = value.flatMap((label: unknown) => {
    const indices = typeof label === 'string' ? indicesOf(label, labels) : [];
    if (indices.length === 0) throw badOption(name, label, allowed);
    return indices;
  });
  return new Set(chosen);
}

/** Index of the background: the network has no query class below it, so it is always the first. */
export const BACKGROUND_INDEX = 0;

/**
 * Index of the whole-person label; -1 where no whole person was found, so that nothing has it. Only models whose last
 * label is the whole person find persons, whatever they call it: "Human", "person", "人".
 */
export function personIndex({
  labels,
  persons,
  parts,
  doubtful = { persons: [], parts: [] },
}: Pick<Parsing, 'labels' | 'persons' | 'parts'> & { doubtful?: Doubtful }): number {
  const last = labels.length - 1;
  const isFound = persons.length > 0 || doubtful.persons.length > 0;
  // A list of labels may come without it, from elsewhere.
  const isPart = [...parts, ...doubtful.parts].some(({ index }) => index === last);
  return isFound && !isPart ? last : -1;
}
