/** Options that a client gave with a request, by the names of `msg.m2fp`: known, allowed and of a value that they take. */
import { M2fpError } from '../errors.ts';
import { namesInText, type Option, type OptionTable } from '../parsing/options/option-table.ts';
import { isRecord, show } from '../parsing/options/options.ts';
import { ANSWER_OPTIONS } from './answer-options.ts';
import { fetchesNothing } from './body/content.ts';

/** Which options there are, and which of them a client may set; those of an answer it always may. */
export interface ClientRules {
  /** The options of each operation; those of `plain` go without its name before them. */
  tables: Readonly<Record<string, OptionTable>>;
  plain: string;
  /** Names of single options (`flip`, `colorize.opacity`), or of an operation for all of its own (`colorize`). */
  allowed: ReadonlySet<string>;
  /** Where nothing is parsed, an answer has no options. */
  withoutAnswer?: true;
}

/** What `msg.m2fp` gets: plain options, and those of one operation below its name. */
export type ClientOptions = Record<string, unknown> & { response: Record<string, unknown> };

/** Names under which clients look for a picture to be fetched. */
const ADDRESS_NAMES = new Set(['url', 'uri', 'image_url', 'imageurl', 'src', 'href', 'callback']);

const SHOWN = 80;

/** @throws {M2fpError} `M2FP_BAD_OPTION` for an allowed name that no option has: the owner's list, not a client's */
export function checkAllowed({ tables, plain, allowed }: ClientRules): void {
  for (const name of allowed) {
    const [user, own] = split(name, plain);
    const table = Object.hasOwn(tables, user) ? tables[user]! : undefined;
    if (Object.hasOwn(tables, name) || (table && Object.hasOwn(table, own))) continue;
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `Option "allowed" names "${name.slice(0, SHOWN)}", which is no option; allowed: ${namesOf(tables[plain]!)}, ` +
        `${Object.keys(tables)
          .filter((key) => key !== plain)
          .join(', ')}, or one of theirs, such as colorize.opacity.`,
    );
  }
}

const namesOf = (table: OptionTable): string => Object.keys(table).join(', ');

/** "colorize.opacity" in two; a plain name belongs to `plain`. */
function split(name: string, plain: string): [user: string, own: string] {
  const dot = name.indexOf('.');
  return dot < 0 ? [plain, name] : [name.slice(0, dot), name.slice(dot + 1)];
}

/**
 * @param texts of an address or a form; a name that comes twice is a list, where the option is one
 * @param values of JSON, which go before texts; an object holds the options of the operation that it is named after
 * @throws {M2fpError} `M2FP_BAD_OPTION` naming the first option that is unknown, not allowed or wrong
 */
export function readClientOptions(
  texts: Iterable<readonly [name: string, text: string]>,
  values: Readonly<Record<string, unknown>>,
  rules: ClientRules,
): ClientOptions {
  const options: ClientOptions = { response: {} };
  const put = (name: string, valueFor: (option: Option<unknown>) => unknown, text?: string): void => {
    const { user, own, option } = find(name, rules);
    const value = valueFor(option);
    if (value === undefined) return;
    check(option, name, value, text);
    if (user === rules.plain) options[own] = value;
    else options[user] = { ...(options[user] as object | undefined), [own]: value };
  };
  const told = new Map<string, { name: string; texts: string[] }>();
  for (const [name, text] of texts) {
    const { user, own } = find(name, rules);
    const key = `${user}.${own}`;
    const before = told.get(key);
    if (before === undefined) told.set(key, { name, texts: [text] });
    else before.texts.push(text);
  }
  for (const { name, texts: all } of told.values()) {
    const text = all.join(',');
    const valueFor = (option: Option<unknown>): unknown => {
      if (all.length > 1 && !isList(option)) throw severalTimes(name, all);
      return valueOfText(option, text);
    };
    put(name, valueFor, text);
  }
  for (const [name, value] of Object.entries(values)) {
    if (!isOperation(name, rules) || !isRecord(value)) put(name, () => value ?? undefined);
    else for (const [own, inner] of Object.entries(value)) put(`${name}.${own}`, () => inner ?? undefined);
  }
  return options;
}

/** @param text that the value was made of, which is shown in place of a list: nobody wrote one */
function check(option: Option<unknown>, name: string, value: unknown, text: string | undefined): void {
  try {
    option.read(name, value);
  } catch (error) {
    const isShown = error instanceof M2fpError && Array.isArray(value) && text !== undefined;
    throw isShown
      ? new M2fpError(
          error.code,
          error.message.replace(show(value), () => show(text)),
        )
      : error;
  }
}

const isOperation = (name: string, { tables }: ClientRules): boolean =>
  name === 'response' || Object.hasOwn(tables, name);

function find(name: string, rules: ClientRules): { user: string; own: string; option: Option<unknown> } {
  const answer: OptionTable = rules.withoutAnswer ? {} : ANSWER_OPTIONS;
  const [user, own] = split(name, rules.plain);
  if (user === 'response' || !name.includes('.')) {
    if (Object.hasOwn(answer, own)) return { user: 'response', own, option: answer[own]! };
  }
  const table = Object.hasOwn(rules.tables, user) ? rules.tables[user]! : {};
  const isKnown = Object.hasOwn(table, own);
  const { allowed } = rules;
  if (isKnown && (allowed.has(name) || allowed.has(user))) return { user, own, option: table[own]! };
  if (ADDRESS_NAMES.has(name.toLowerCase())) throw fetchesNothing();
  const what = isKnown
    ? `The option "${name}" cannot be set by a request to this service`
    : `There is no option "${name.slice(0, SHOWN)}"`;
  const names = [...rules.allowed, ...Object.keys(answer)].join(', ') || 'none';
  throw new M2fpError('M2FP_BAD_OPTION', `${what}; allowed: ${names}.`);
}

/** Whether a text is several values, with commas between them. */
const isList = (option: Option<unknown>): boolean => Array.isArray(option.field('a,b'));

function severalTimes(name: string, texts: readonly string[]): M2fpError {
  const shown = texts.map((text) => JSON.stringify(text.slice(0, SHOWN))).slice(0, 3);
  return new M2fpError(
    'M2FP_BAD_OPTION',
    `Option "${name}" is given ${texts.length} times: ${shown.join(', ')}; allowed: one value.`,
  );
}

/** As people write numbers: no other base, no power of ten. */
const DECIMAL = /^\s*[+-]?(?:\d+(?:\.\d+)?|\.\d+)\s*$/;

/**
 * What a form or an address says, for the option to check. `?flip` alone switches on; a blank text leaves any other choice
 * open. What is no decimal number, or neither true, false, 1 nor 0, stays a text, which no number and no flag may be.
 */
export function valueOfText(option: Option<unknown>, text: string): unknown {
  if (option.form.input === 'checkbox') {
    const given = text.trim().toLowerCase();
    if (['', 'true', '1'].includes(given)) return true;
    return ['false', '0'].includes(given) ? false : text;
  }
  const value = option.field(text);
  if (typeof value === 'number') return DECIMAL.test(text) ? value : text;
  if (!isNumbers(value)) return value;
  const pieces = namesInText(text);
  return pieces.every((piece) => DECIMAL.test(piece)) ? value : pieces;
}

const isNumbers = (value: unknown): boolean =>
  Array.isArray(value) && value.some((each) => typeof each === 'number');
