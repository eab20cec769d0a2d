/**
 * Options of an operation, each told once: type, range and default. What a caller may pass, what a form's field means
 * and which names a message may use follow from the table.
 */
import { badOption, flag as checkFlag, knownOptions, numberIn, oneOf as checkOneOf } from './options.ts';

/** How a form shows an option, and how it checks what is entered. */
export interface FormField<Entry = string> {
  /** What a new form begins with; blank: the choice is left to the default. */
  value: Entry;
  /** `list`: a widget that keeps a text. `typed`: a value and where it comes from. `hidden`: of the row before. */
  input: 'text' | 'number' | 'checkbox' | 'select' | 'color' | 'list' | 'typed' | 'model' | 'hidden';
  /** What a `select` offers, or from where a `typed` value may come, in this order. */
  choices?: readonly string[];
  /** What a `select` offered once, and flows may still have. */
  formerly?: readonly string[];
  /** The form's check, one of `nodes/form/validators.ts`, and what it takes after the field's name. */
  check?: readonly [name: string, ...limits: number[]];
}

/** One option whose values, once read, are `Value`, which callers write as `Given`, and forms store as `Entry`. */
export interface Option<Value, Given = Value, Entry = unknown> {
  readonly form: FormField<Entry>;
  /** Reads what a caller gave; undefined: the default. @throws {M2fpError} `M2FP_BAD_OPTION` naming the option */
  read(name: string, given: unknown): Value;
  /** What a form's field says, undefined where it is blank: the choice is left to the default. */
  field(stored: unknown): Given | undefined;
}

export type OptionTable = Readonly<Record<string, Option<unknown, unknown>>>;

/** The fields of a form, which may be more than options. */
export type FormFields = Readonly<Record<string, { readonly form: FormField<unknown> }>>;

/** What callers pass. */
export type GivenOptions<Table extends OptionTable> = {
  [Name in keyof Table]?: Table[Name] extends Option<unknown, infer Given> ? Given | undefined : never;
};

/** The options with their defaults. */
export type OptionValues<Table extends OptionTable> = {
  [Name in keyof Table]: Table[Name] extends Option<infer Value, unknown> ? Value : never;
};

/** What a form stores. */
export type Stored<Fields extends FormFields> = {
  [Name in keyof Fields]: Fields[Name] extends { form: FormField<infer Value> } ? Value : never;
};

/**
 * The options of `table` in full.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for a name that the table does not have, and for a value that is not allowed
 */
export function readOptions<Table extends OptionTable>(
  table: Table,
  given: GivenOptions<Table> | undefined,
): OptionValues<Table> {
  return valuesOf(
    table,
    knownOptions(given as Record<string, unknown> | undefined, Object.keys(table)) as GivenOptions<Table>,
  );
}

/** The same for an object that may hold more than the options. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function valuesOf<Table extends OptionTable>(
  table: Table,
  given: GivenOptions<Table>,
): OptionValues<Table> {
  const entries = Object.entries(table).map(([name, option]) => [name, option.read(name, given[name])]);
  return Object.fromEntries(entries) as OptionValues<Table>;
}

/** What a form says. Values are not checked: they are where they are used, together with those of the message. */
export function optionsInFields<Table extends OptionTable>(
  table: Table,
  fields: { readonly [Name in keyof Table]?: unknown },
): GivenOptions<Table> {
  const entries = Object.entries(table).map(([name, option]) => [name, option.field(fields[name])]);
  return Object.fromEntries(entries) as GivenOptions<Table>;
}

/** The names of a table's options. */
export function namesOf<Table extends OptionTable>(table: Table): (keyof Table & string)[] {
  return Object.keys(table);
}

/** A text field: undefined where it is blank. Node-RED puts an environment variable's value, a text, in any field. */
function textOf(stored: unknown): string | undefined {
  if (stored === undefined || stored === null) return undefined;
  const text = (typeof stored === 'string' ? stored : JSON.stringify(stored)).trim();
  return text === '' ? undefined : text;
}

/** What is no number stays the text that it is, so that the error says it: an environment variable that is not set. */
function numberOf(stored: unknown): number | undefined {
  const text = textOf(stored);
  return text === undefined ? undefined : numberOrText(text);
}

/** The same of a text that is not blank. */
export function numberOrText(text: string): number {
  const value = Number(text);
  return Number.isNaN(value) ? (text as unknown as number) : value;
}

/** `option` with another beginning, or another look, in forms than it would have by its kind. */
export function inForm<Value, Given, Entry>(
  option: Option<Value, Given, Entry>,
  form: Partial<FormField<Entry>>,
): Option<Value, Given, Entry> {
  return { ...option, form: { ...option.form, ...form } };
}

/** A number from `min` to `max`. */
export function number(min: number, max: number, fallback: number): Option<number, number, number | string> {
  return {
    read: (name, given) => numberIn(name, given, { min, max }, fallback),
    field: numberOf,
    form: { value: fallback, input: 'number', check: ['between', min, max] },
  };
}

/** A whole number from `min` to `max`. */
export function whole<Fallback extends number | null>(
  min: number,
  max: number,
  fallback: Fallback,
): Option<number | Fallback, number, number | string> {
  return {
    read: (name, given) =>
      given === undefined ? fallback : numberIn(name, given, { min, max, integer: true }, 0),
    field: numberOf,
    form: { value: fallback ?? '', input: 'number', check: ['whole', min, max] },
  };
}

/** One of some texts. */
export function oneOf<const Texts extends readonly string[]>(
  allowed: Texts,
  fallback: Texts[number],
): Option<Texts[number], Texts[number], Texts[number]> {
  return {
    read: (name, given) => checkOneOf<Texts[number]>(name, given, allowed, fallback),
    field: (stored) => textOf(stored),
    form: { value: fallback, input: 'select', choices: allowed },
  };
}

/** Any text. */
export function anyText(fallback: string): Option<string, string, string> {
  const read = (name: string, given: unknown = fallback): string => {
    if (typeof given !== 'string') throw badOption(name, given, 'a text');
    return given;
  };
  return custom(read, { value: fallback });
}

/** True or false. */
export function flag(fallback: boolean): Option<boolean, boolean, boolean> {
  return {
    read: (name, given) => checkFlag(name, given, fallback),
    field: (stored) => (textOf(stored) === undefined ? undefined : stored === true || stored === 'true'),
    form: { value: fallback, input: 'checkbox' },
  };
}

/** An option with a reader of its own, which also says what undefined stands for; in a form a text, blank at first. */
export function custom<Value, Given>(
  read: (name: string, given: unknown) => Value,
  form: Partial<FormField> = {},
  field: (text: string) => Given = (text) => text as Given,
): Option<Value, Given, string> {
  return {
    read,
    field: (stored) => {
      const text = textOf(stored);
      return text === undefined ? undefined : field(text);
    },
    form: { value: '', input: 'text', ...form },
  };
}

/** The names in a text, separated by commas; `none` is no name. */
export function namesInText(text: string): string[] {
  if (text.trim() === 'none') return [];
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** A list of label names, or the text of a field, see {@link namesInText}. The model's labels check it. */
export function labelNames(): Option<unknown, readonly string[] | string, string> {
  return custom(
    (_name, given) => (typeof given === 'string' ? namesInText(given) : given),
    { input: 'list', check: ['parts'] },
    namesInText,
  );
}

/** Pixels from 0 to `maxPixels`, whole where `whole` is set, or a share such as "12.5%" of at most `maxPercent`. */
export type Extent = { pixels: number } | { share: number };

export function extent(
  { maxPercent, maxPixels, whole: isWhole }: { maxPercent: number; maxPixels?: number; whole: boolean },
  fallback: number,
): Option<Extent, number | string, string> {
  const most = maxPixels === undefined ? '' : ` to ${maxPixels}`;
  const pixels = `${isWhole ? 'a whole number' : 'a number'} of pixels from 0${most}`;
  return custom(
    (name, given) => {
      const value = given ?? fallback;
      const percent = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(value)?.[1] : undefined;
      if (percent !== undefined && Number(percent) <= maxPercent) return { share: Number(percent) / 100 };
      const isPixels =
        typeof value === 'number' &&
        value >= 0 &&
        (isWhole ? Number.isInteger(value) : value < Infinity) &&
        (maxPixels === undefined || value <= maxPixels);
      if (isPixels) return { pixels: value };
      throw badOption(name, value, `${pixels}, or a text from "0%" to "${maxPercent}%"`);
    },
    { value: String(fallback), check: ['extent', maxPercent] },
    (text) => (text.endsWith('%') ? text : numberOrText(text)),
  );
}
