/** Which colour a label or a person is drawn in. */
import cihp from '../../../models/palettes/cihp.json' with { type: 'json' };
import lip from '../../../models/palettes/lip.json' with { type: 'json' };
import mhpV2 from '../../../models/palettes/mhp-v2.json' with { type: 'json' };
import pascalPersonPart from '../../../models/palettes/pascal-person-part.json' with { type: 'json' };
import { custom, type GivenOptions, oneOf, type Option, readOptions } from './option-table.ts';
import {
  BACKGROUND_INDEX,
  badOption,
  entriesWithin,
  indicesOf,
  isRecord,
  isWhole,
  labelKey,
  firstOfName,
  MAX_NAMES,
  tooMany,
} from './options.ts';

/** Red, green and blue, each 0 to 255. */
export type Rgb = readonly [number, number, number];

/** A colour as the user writes it: "#rgb", "#rrggbb", a name of {@link COLOR_NAMES}, or [r, g, b]. */
export type Color = string | readonly number[];

/** "#rrggbb". */
export function hexOf(color: Rgb): string {
  return `#${color.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** The colour of whatever no colour is known for. */
export const UNKNOWN_COLOR: Rgb = [128, 128, 128];

/** The colour tables by name, each label name -> "#rrggbb". */
const TABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  cihp,
  lip,
  'pascal-person-part': pascalPersonPart,
  'mhp-v2': mhpV2,
};

/** "#rrggbb" by label name, of all tables; they agree where they know the same label. */
export const PALETTE_OF_LABELS: Readonly<Record<string, string>> = Object.assign(
  {},
  ...Object.values(TABLES),
);

/**
 * `auto`: the table that knows the most of the model's labels, `distinct` where none knows half of them. `pascal`: the PASCAL VOC palette by label index,
 * in which human-parsing papers print their results. `distinct`: a hue of its own for each label index, for models
 * whose labels no table knows. The others: the table of that label set, by label name.
 */
export const PALETTES = [
  'auto',
  'pascal',
  'distinct',
  'cihp',
  'lip',
  'pascal-person-part',
  'mhp-v2',
] as const;

export const PALETTE_OPTIONS = {
  /** The base that `colors` changes. */
  palette: oneOf(PALETTES, 'auto'),
  /** The user's own colours, label name -> colour, as an object or as its JSON text. */
  colors: custom<Readonly<Record<string, Color>>, Readonly<Record<string, Color>> | string>(readColors, {
    value: '{}',
    input: 'list',
    check: ['json'],
  }),
};

export type PaletteOptions = GivenOptions<typeof PALETTE_OPTIONS>;

/** A colour. */
export function colorOption(fallback: string): Option<Rgb, Color, string> {
  return custom((name, given) => parseColor(name, given ?? fallback), {
    value: fallback,
    input: 'color',
    check: ['color'],
  });
}

/** The colour names that are understood, with CSS's values. */
export const COLOR_NAMES: Readonly<Record<string, string>> = {
  black: '#000000',
  blue: '#0000ff',
  brown: '#a52a2a',
  cyan: '#00ffff',
  gold: '#ffd700',
  gray: '#808080',
  green: '#008000',
  grey: '#808080',
  lime: '#00ff00',
  magenta: '#ff00ff',
  maroon: '#800000',
  navy: '#000080',
  olive: '#808000',
  orange: '#ffa500',
  pink: '#ffc0cb',
  purple: '#800080',
  red: '#ff0000',
  silver: '#c0c0c0',
  teal: '#008080',
  white: '#ffffff',
  yellow: '#ffff00',
};

const ALLOWED_COLORS = `"#rgb", "#rrggbb", [r, g, b] with whole numbers from 0 to 255, or ${Object.keys(COLOR_NAMES).join(', ')}`;

/** The colour that `text` ("#rgb", "#rrggbb" or a name, in any case) means; undefined where it means none. */
function colorOfText(text: string): Rgb | undefined {
  const given = text.trim().toLowerCase();
  const hex = Object.hasOwn(COLOR_NAMES, given) ? COLOR_NAMES[given]! : given;
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/.exec(hex)?.[1];
  if (digits === undefined) return undefined;
  const full = digits.length === 3 ? digits.replace(/./g, '$&$&') : digits;
  const value = Number.parseInt(full, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/**
 * The colour that the user wrote.
 * @param option what to call it in the error
 * @throws {M2fpError} `M2FP_BAD_OPTION` for anything but a {@link Color}
 */
export function parseColor(option: string, value: unknown): Rgb {
  if (typeof value === 'string') {
    const color = colorOfText(value);
    if (color !== undefined) return color;
  } else if (Array.isArray(value)) {
    const [red, green, blue]: unknown[] = value;
    if (value.length === 3 && isWhole(red, 0, 255) && isWhole(green, 0, 255) && isWhole(blue, 0, 255)) {
      return [red, green, blue];
    }
  }
  throw badOption(option, value, ALLOWED_COLORS);
}

/**
 * The colour of entry `index` (0 to 255) of the PASCAL VOC palette: the bits of the index, three at a time, lowest
 * first, become the bits of red, green and blue, highest first (the VOC development kit's colour map).
 */
export function pascalColor(index: number): Rgb {
  const color: [number, number, number] = [0, 0, 0];
  for (let bit = 7, rest = index; rest > 0; bit--, rest >>= 3) {
    color[0] |= (rest & 1) << bit;
    color[1] |= ((rest >> 1) & 1) << bit;
    color[2] |= ((rest >> 2) & 1) << bit;
  }
  return color;
}

/** Turns of the colour wheel from one person to the next: the golden angle keeps any few of them apart. */
const PERSON_HUE_STEP = 0.381966;
const PERSON_SATURATION = 0.75;
const PERSON_VALUE = 0.95;

/** The colour of a hue (in turns), a saturation and a value (0 to 1 each). */
function hsvColor(hue: number, saturation: number, value: number): Rgb {
  const channel = (shift: number): number => {
    const k = (shift + hue * 6) % 6;
    const drop = saturation * Math.max(0, Math.min(k, 4 - k, 1));
    return Math.round(255 * value * (1 - drop));
  };
  return [channel(5), channel(3), channel(1)];
}

function personHue(id: number): number {
  return ((id - 1) * PERSON_HUE_STEP) % 1;
}

/** The colour of the person `id` (1 for the first); 0, nobody, is {@link UNKNOWN_COLOR}. */
export function personColor(id: number): Rgb {
  return id < 1 ? UNKNOWN_COLOR : hsvColor(personHue(id), PERSON_SATURATION, PERSON_VALUE);
}

const DARKEST_PART = 0.42;
/** Towards white, no person's hue can be told any more. */
const PALEST_PART = 0.3;

/**
 * The colour of a part of the person `id`: the person's hue from dark to pale, far apart for labels that follow each
 * other. Grey in those shades where `id` is 0.
 * @param index the part's label index
 */
export function personPartColor(id: number, index: number): Rgb {
  const lightness = (index * PERSON_HUE_STEP) % 1;
  const value = DARKEST_PART + (1 - DARKEST_PART) * Math.min(1, 2 * lightness);
  const paleness = Math.max(0, 2 * lightness - 1);
  const saturation = PERSON_SATURATION + (PALEST_PART - PERSON_SATURATION) * paleness;
  return id < 1 ? hsvColor(0, 0, value * 0.75) : hsvColor(personHue(id), saturation, value);
}

/** The colour of label `index` in the palette `distinct`: the background black, the others around the colour wheel. */
export function distinctColor(index: number): Rgb {
  if (index === BACKGROUND_INDEX) return [0, 0, 0];
  const [saturation, value] = [
    [0.8, 0.95],
    [0.55, 0.8],
    [0.9, 0.65],
  ][index % 3]! as [number, number];
  return hsvColor(personHue(index), saturation, value);
}

/** `table` with its names in the form that {@link labelKey} gives and its colours as numbers. */
function readTable(table: Readonly<Record<string, string>>): Map<string, Rgb> {
  return new Map(
    Object.entries(table).map(([label, color]) => [labelKey(label), colorOfText(color) ?? UNKNOWN_COLOR]),
  );
}

/**
 * The colour table that knows the most of `keys`, the first of equals, as they agree on common names; undefined where
 * it knows less than half of them, so that most would be grey.
 */
function bestTable(keys: readonly string[]): Map<string, Rgb> | undefined {
  const known = (table: Map<string, Rgb>): number => keys.filter((key) => table.has(key)).length;
  const [best] = Object.values(TABLES)
    .map(readTable)
    .toSorted((a, b) => known(b) - known(a));
  return 2 * known(best!) >= keys.length ? best : undefined;
}

/** The user's table as an object, from an object or JSON text. */
function readColors(name: string, colors: unknown): Record<string, Color> {
  let given: unknown = colors ?? {};
  if (typeof colors === 'string') {
    try {
      given = colors.trim() === '' ? {} : JSON.parse(colors);
    } catch {
      throw badOption(name, colors, 'a JSON object of label names and colours');
    }
  }
  if (!isRecord(given)) throw badOption(name, colors, 'an object of label names and colours');
  // Each colour is checked where it is used, by its label's name.
  return given as Record<string, Color>;
}

/**
 * The colour of each of a model's labels, in their order.
 *
 * Labels of one name have one colour. The base is a table by label name or the PASCAL palette by index; a label that the table does not know is grey
 * (128, 128, 128). `colors` goes on top of it. Names count as equal without regard to case and to blank,
 * underscore or hyphen.
 *
 * @throws {M2fpError} `M2FP_BAD_OPTION` for an unknown palette, a label that the model does not have, or something
 * that is not a colour.
 */
export function resolvePalette(labels: readonly string[], options?: PaletteOptions): Rgb[] {
  const { palette, colors } = readOptions(PALETTE_OPTIONS, options);
  const result = baseColors(palette, labels.map(labelKey));

  const given = entriesWithin(colors);
  if (given === null) throw tooMany('colors', `at most ${MAX_NAMES} labels`);
  for (const [label, color] of given) {
    const indices = indicesOf(label, labels);
    if (indices.length === 0) throw badOption('colors', label, `the model's labels: ${labels.join(', ')}`);
    const rgb = parseColor(`colors["${label}"]`, color);
    for (const index of indices) result[index] = rgb;
  }
  return firstOfName(labels).map((first) => result[first]!);
}

/** The colours of the labels `keys` in the palette `name`. */
function baseColors(name: (typeof PALETTES)[number], keys: readonly string[]): Rgb[] {
  if (name === 'pascal') return keys.map((_, index) => pascalColor(index));
  const table =
    name === 'auto' ? bestTable(keys) : name === 'distinct' ? undefined : readTable(TABLES[name]!);
  if (table === undefined) return keys.map((_, index) => distinctColor(index));
  return keys.map((key) => table.get(key) ?? UNKNOWN_COLOR);
}
