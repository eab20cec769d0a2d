/** What the commands share: their description, and reading what the user typed. */
import { resolve } from 'node:path';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { PARSE_OPTIONS } from '../engine/options.ts';
import { M2fpError } from '../errors.ts';
import { MOST_BYTES, MOST_PIXELS } from '../image/limits.ts';
import type { Precision } from '../m2fp/manifest.ts';
import type { ImageLimits } from '../image/types.ts';
import type { FormField } from '../parsing/options/option-table.ts';
import type { ParseOptions } from '../parsing/types.ts';
import { didYouMean } from './similar.ts';

/** Where a command writes. Everything that a program reads goes to `out`, everything for eyes only to `err`. */
export interface Terminal {
  out: NodeJS.WriteStream;
  err: NodeJS.WriteStream;
}

export interface Command {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** The text of `m2fp NAME --help`. */
  help: string;
  /** Resolves to the exit code; nothing is 0. */
  run(args: string[], terminal: Terminal): Promise<number | void>;
}

/** What a command takes. */
export interface Syntax<Name extends string, Flag extends string> {
  /** The names of its arguments, all of which must be there; of one that ends in "..." there may be several. */
  takes: readonly string[];
  /** Its options with a value. */
  options: readonly Name[];
  /** Its options without one. */
  flags?: readonly Flag[];
}

/** The arguments typed, in order, and the options, by name. */
export interface Typed<Name extends string, Flag extends string> {
  arguments: string[];
  options: Partial<Record<Name, string>>;
  flags: Partial<Record<Flag, true>>;
}

/**
 * Reads a command's arguments and options.
 * @throws M2fpError M2FP_BAD_OPTION for an unknown option, a wrong use of one, and too few or too many arguments
 */
export function readArguments<Name extends string, Flag extends string = never>(
  command: Pick<Command, 'name'>,
  args: string[],
  { takes, options: names, flags = [] }: Syntax<Name, Flag>,
): Typed<Name, Flag> {
  const options: ParseArgsOptionsConfig = Object.fromEntries([
    ...names.map((name) => [name, { type: 'string' }] as const),
    ...flags.map((name) => [name, { type: 'boolean' }] as const),
  ]);
  // Checked here: Node's words are no sentences for users, and it takes the value of "--processes -1" for an option.
  const typed = parseArgs({ args, options, allowPositionals: true, strict: false, tokens: true });
  for (const token of typed.tokens) {
    const problem = token.kind === 'option' ? problemOf(token, { options: names, flags }) : undefined;
    if (problem !== undefined) throw badUsage(command, problem);
  }
  const missing = takes[typed.positionals.length];
  if (missing !== undefined) throw badUsage(command, `${missing.replace('...', '')} is missing`);
  const more = takes.at(-1)?.endsWith('...') === true ? [] : typed.positionals.slice(takes.length);
  if (more.length > 0) {
    const taken = takes.length === 0 ? 'No argument is taken' : `Only ${takes.join(' and ')} is taken`;
    throw badUsage(command, `${taken}, not also ${more.join(' ')}`);
  }
  const pick = (chosen: readonly string[]) =>
    Object.fromEntries(Object.entries(typed.values).filter(([name]) => chosen.includes(name)));
  return {
    arguments: typed.positionals,
    options: pick(names) as Typed<Name, Flag>['options'],
    flags: pick(flags) as Typed<Name, Flag>['flags'],
  };
}

/** What is wrong with an option as it was typed. */
function problemOf(
  {
    name,
    rawName,
    value,
    inlineValue,
  }: { name: string; rawName: string } & (
    { value: string; inlineValue: boolean } | { value: undefined; inlineValue: undefined }
  ),
  { options, flags = [] }: Pick<Syntax<string, string>, 'options' | 'flags'>,
): string | undefined {
  if (flags.includes(name)) return value === undefined ? undefined : `${rawName} takes no value`;
  if (!options.includes(name)) {
    const known = [...options, ...flags, 'help'].map((each) => `--${each}`);
    return `There is no option ${rawName}${didYouMean(rawName, known)}`;
  }
  if (value === undefined) return `${rawName} takes a value, which is missing`;
  // The next option, most probably. A number below zero is told of by whoever knows the range.
  const isOption = !inlineValue && value.length > 1 && value.startsWith('-') && Number.isNaN(Number(value));
  return isOption
    ? `${rawName} takes a value, which is missing (one that begins with a dash is typed as ${rawName}=${value})`
    : undefined;
}

/**
 * Refuses what would be without effect: whoever typed it expects one.
 * @param typed options and flags, by name
 * @param reason what follows the option's name: why not, and what to do
 * @throws M2fpError M2FP_BAD_OPTION where one of `names` was typed
 */
export function refuseOptions<Name extends string>(
  typed: Partial<Record<Name, unknown>>,
  names: readonly Name[],
  reason: string,
): void {
  const name = names.find((each) => typed[each] !== undefined);
  if (name !== undefined) throw new M2fpError('M2FP_BAD_OPTION', `--${name} ${reason}`);
}

function badUsage({ name }: Pick<Command, 'name'>, reason: string): M2fpError {
  return new M2fpError('M2FP_BAD_OPTION', `${reason} (see m2fp ${name} --help)`);
}

/** What a number may be, both ends included. */
export interface NumberRange {
  min: number;
  /** Infinity: there is no end. */
  max: number;
  isWhole?: boolean;
}

/** What a form takes for the same option. */
export function rangeOf({ form }: { readonly form: Pick<FormField, 'check'> }): NumberRange {
  const [kind, min, max] = form.check ?? [];
  return { min: min ?? -Infinity, max: max ?? Infinity, isWhole: kind === 'whole' };
}

/** @throws M2fpError M2FP_BAD_OPTION, by the option's name, for a text that is no number of the range */
export function numberOption(
  name: string,
  text: string | undefined,
  { min, max, isWhole = false }: NumberRange,
): number | undefined {
  if (text === undefined) return undefined;
  const number = numberIn(text);
  if (number >= min && number <= max && (!isWhole || Number.isInteger(number))) return number;
  const kind = isWhole ? 'a whole number' : 'a number';
  const range = max === Infinity ? `from ${min} on` : `from ${min} to ${max}`;
  throw new M2fpError('M2FP_BAD_OPTION', `--${name} takes ${kind} ${range}, not "${text}"`);
}

/** NaN where it is none. */
function numberIn(text: string): number {
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : Number.NaN;
}

/** The options of the commands that parse with sizes; see {@link parseOptions}. Beside them, there is the flag `flip`. */
export const PARSING_OPTIONS = ['short-side', 'long-side', 'min-score'] as const;

/**
 * How pictures are parsed.
 * @param least the score that parts and persons must have where `--min-score` is not given; undefined: the engine's
 * @throws M2fpError M2FP_BAD_OPTION
 */
export function parseOptions(
  options: Partial<Record<(typeof PARSING_OPTIONS)[number], string>>,
  flags: { flip?: true },
  least: number | undefined,
): ParseOptions {
  const { shortSide, longSide } = PARSE_OPTIONS;
  return {
    shortSide: numberOption('short-side', options['short-side'], rangeOf(shortSide)),
    longSide: numberOption('long-side', options['long-side'], rangeOf(longSide)),
    scoreThreshold: minScoreOption(options['min-score']) ?? least,
    ...(flags.flip === true && { flip: true }),
  };
}

/** ModelScope's pipeline returns nothing that scores less. */
const LEAST_SCORE = 0.1;

/** `--min-score`. @throws M2fpError M2FP_BAD_OPTION */
export function minScoreOption(text: string | undefined): number | undefined {
  return numberOption('min-score', text, { min: LEAST_SCORE, max: 1 });
}

/** The options of every command that reads pictures; see {@link limitOptions}. */
export const LIMIT_OPTIONS = ['max-megapixels', 'max-image-size'] as const;

/**
 * The limits of pictures that were typed.
 * @throws M2fpError M2FP_BAD_OPTION for a text that is no number, or one that is no limit
 */
export function limitOptions(
  options: Partial<Record<(typeof LIMIT_OPTIONS)[number], string>>,
): Partial<ImageLimits> {
  const limit = (name: (typeof LIMIT_OPTIONS)[number], unit: number, most: number): number | undefined => {
    const text = options[name];
    if (text === undefined) return undefined;
    const value = numberIn(text);
    if (value > 0 && value * unit <= most) return Math.ceil(value * unit);
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `--${name} takes a number above 0 and up to ${most / unit}, not "${text}"`,
    );
  };
  return {
    maxPixels: limit('max-megapixels', 1_000_000, MOST_PIXELS),
    maxBytes: limit('max-image-size', 2 ** 20, MOST_BYTES),
  };
}

/**
 * The folder that `--pictures` names, absolute.
 * @throws M2fpError M2FP_BAD_OPTION for a model that is not to become int8
 */
export function picturesOption(
  text: string | undefined,
  precision: Precision | undefined,
): string | undefined {
  if (text === undefined) return undefined;
  if (precision === 'int8') return resolve(text);
  throw new M2fpError('M2FP_BAD_OPTION', '--pictures is for int8 models: add --precision int8');
}

/** @throws M2fpError M2FP_BAD_OPTION for a text that is none of `choices` */
export function choiceOption<Choice extends string>(
  name: string,
  text: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (text === undefined || choices.includes(text as Choice)) return text as Choice | undefined;
  throw new M2fpError('M2FP_BAD_OPTION', `--${name} takes ${choices.join(', ')}, not "${text}"`);
}
