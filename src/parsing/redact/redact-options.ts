/** The options of `redact`: what each means, and which values are allowed. */
import {
  custom,
  flag,
  type GivenOptions,
  labelNames,
  number,
  numberOrText,
  oneOf,
  readOptions,
  whole,
} from '../options/option-table.ts';
import { badOption, isWhole, labelIndices, labelKey } from '../options/options.ts';
import { type Color, parseColor, type Rgb } from '../options/palette.ts';
import { IMAGE_OPTIONS, type ImageEncoding } from '../options/image-options.ts';
import { type GivenKeep, type KeepRule, readKeep } from './keep.ts';
import { type SymbolName, SYMBOLS } from './overlay.ts';
import { idsInText, personIds } from '../options/person-ids.ts';

/** What tells who somebody is, by {@link labelKey}: of these, those that the model has are the default. */
const IDENTIFYING = new Set(['face', 'hair', 'head', 'sunglasses', 'eyewear']);

const MAX_GROW = 512;
const BLACK = '#000000';

export const REDACT_OPTIONS = {
  /**
   * `blur`: smooth, from the mean colours of a few cells. `pixelate`: those cells themselves. `fill`: one colour.
   * `recolor`: another colour that keeps light and shade. `remove`: transparent (png, webp). `symbol`, `picture`: fill, and
   * over it `symbol` or `overlay`, as large as the box around what is hidden of a person.
   */
  method: oneOf(['blur', 'pixelate', 'fill', 'recolor', 'remove', 'symbol', 'picture'], 'blur'),
  symbol: oneOf(SYMBOLS, 'smile'),
  /** The picture of `picture`, encoded. */
  overlay: custom<Buffer | null, Buffer>(readOverlay),
  /** The labels to redact; default those of face, hair, head and glasses that the model has. */
  labels: labelNames(),
  /** Ids of the persons to redact; default everybody, and parts that belong to nobody. */
  persons: custom<ReadonlySet<number> | null, readonly number[] | string>(
    readPersons,
    { check: ['ids'] },
    idsInText,
  ),
  /**
   * Persons who stay as they are, by id, track or zone; everybody else is redacted, and so is what belongs to nobody. Where
   * they overlap with others, those are hidden, and `persons` changes nothing. With `inverse`: those whose chosen parts are
   * all that stays.
   */
  keep: custom<KeepRule | null, GivenKeep>(readKeep, { check: ['keep'] }),
  /** Redacts everything but the chosen parts. */
  inverse: flag(false),
  /**
   * What is done with a person on whom the chosen parts were not found (see `findUncovered`), doubtful persons
   * included. `person` hides the whole person, with a margin. `head` hides the head where the person's parts tell for
   * sure that it is on top, else the whole person. `drop` is for the caller to do, who finds the person in
   * `Redacted.uncovered`; the picture is redacted as by `person`. `pass` leaves the person as it is. Without effect
   * for `recolor`, which hides nothing, and for `inverse`, which hides all that was not found.
   */
  uncovered: oneOf(['person', 'head', 'drop', 'pass'], 'person'),
  /**
   * Pixels that the redacted area grows by in each direction; `auto` (default): as far as the network is coarse, see
   * `autoGrow`; 0 for `recolor` and `inverse`.
   */
  grow: custom<number | 'auto' | undefined, number | 'auto'>(
    readGrow,
    { input: 'number', check: ['whole', 0, MAX_GROW] },
    (text) => (text === 'auto' ? text : numberOrText(text)),
  ),
  /**
   * Strength of blur and pixelate, 1 (strongest) to 64: no more than so many mean colours are kept along the longer
   * side of what is redacted of a person; four times as many along the picture's where it goes by `inverse` or
   * `nobody`. A cell has 8 pixels or more a side. What the cells do not hold is gone, and no sharpening brings it
   * back.
   */
  cells: whole(1, 64, 6),
  /** Of fill, symbol and picture (default black) and recolor (default a mid blue). */
  color: custom<Rgb | undefined, Color>(
    (name, given) => (given === undefined ? undefined : parseColor(name, given)),
    { value: BLACK, input: 'color', check: ['color'] },
  ),
  /**
   * Parts and persons of a lower score are left as they are; 0: none. A part that is left is not found, either: to a
   * person of a higher score the rule `uncovered` applies.
   */
  minScore: number(0, 1, 0),
  /** Where the parsing has nobody: `pass` the picture on as it is, or redact `all` of it. */
  nobody: oneOf(['pass', 'all'], 'pass'),
  ...IMAGE_OPTIONS,
};

export type RedactOptions = GivenOptions<typeof REDACT_OPTIONS>;

/** The options with their defaults, checked and read. */
export interface RedactPlan {
  method: NonNullable<RedactOptions['method']>;
  chosen: ReadonlySet<number>;
  /** Those of `chosen` that are of the head. */
  ofHead: ReadonlySet<number>;
  persons: ReadonlySet<number> | null;
  /** Null where nobody is kept by choice. */
  keep: KeepRule | null;
  symbol: SymbolName;
  overlay: Buffer | null;
  inverse: boolean;
  /** `pass` where the rule has no effect. */
  uncovered: NonNullable<RedactOptions['uncovered']>;
  /** Whether persons can be uncovered at all. */
  hides: boolean;
  grow: number | 'auto';
  cells: number;
  color: Rgb;
  minScore: number;
  all: boolean;
  encoding: ImageEncoding;
}

function readOverlay(name: string, given: unknown): Buffer | null {
  if (given === undefined) return null;
  if (!Buffer.isBuffer(given)) throw badOption(name, given, 'an encoded picture in a Buffer');
  return given;
}

function identifying(labels: readonly string[]): Set<number> {
  return new Set(labels.flatMap((label, index) => (IDENTIFYING.has(labelKey(label)) ? [index] : [])));
}

/** An empty list would let everybody pass. */
function readPersons(name: string, given: unknown): Set<number> | null {
  return given === undefined ? null : personIds(name, given, 'without it: everybody');
}

function readGrow(name: string, value: unknown): number | 'auto' | undefined {
  if (value === undefined || value === 'auto' || isWhole(value, 0, MAX_GROW)) return value;
  throw badOption(name, value, `auto, or a whole number from 0 to ${MAX_GROW}`);
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` naming the option that is wrong */
export function readRedactOptions(labels: readonly string[], options: RedactOptions | undefined): RedactPlan {
  const { format, quality, labels: names, nobody, ...given } = readOptions(REDACT_OPTIONS, options);
  const { method, inverse } = given;
  if (method === 'remove' && format === 'jpeg') {
    throw badOption('format', format, 'png or webp where "method" is "remove"');
  }
  if (method === 'picture' && given.overlay === null) {
    throw badOption('overlay', undefined, 'a picture where "method" is "picture"');
  }
  if (Array.isArray(names) && names.length === 0 && !inverse) {
    throw badOption(
      'labels',
      names,
      `at least one of ${labels.join(', ')}; without it: face, hair and glasses`,
    );
  }
  const ofHead = identifying(labels);
  const chosen = labelIndices('labels', names, labels) ?? ofHead;
  const hides = !inverse && method !== 'recolor';
  return {
    ...given,
    // Everybody else is redacted, whoever was listed.
    persons: given.keep !== null && !inverse ? null : given.persons,
    chosen,
    ofHead: new Set([...chosen].filter((index) => ofHead.has(index))),
    uncovered: hides ? given.uncovered : 'pass',
    hides,
    grow: given.grow ?? (inverse || method === 'recolor' ? 0 : 'auto'),
    color: given.color ?? parseColor('color', method === 'recolor' ? '#2f6db5' : BLACK),
    all: nobody === 'all',
    encoding: { format, quality },
  };
}
