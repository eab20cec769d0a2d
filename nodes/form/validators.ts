/**
 * Checks of the forms' fields, by the names that tables of options have for them. A message names the field by its label; a
 * blank field leaves the choice to the default, and `${NAME}` to an environment variable.
 */
import { parseColor } from '../../src/parsing/options/palette.ts';
import { readKeep } from '../../src/parsing/redact/keep.ts';
import { readAreas } from '../../src/people/zones/areas.ts';
import { isNone } from './chosen.ts';
import type { Dollar, EditorRed, Validator } from './editor.ts';
import { ofSource } from './model-form.ts';
import { nodeText, sharedText, type Values } from './texts.ts';

export interface Validators {
  /** A number from `min` to `max`. */
  between(name: string, min: number, max: number): Validator;
  /** A whole number from `min` to `max`. */
  whole(name: string, min: number, max: number): Validator;
  /** "#rgb", "#rrggbb" or a name such as "red". */
  color(name: string): Validator;
  /** One of what a select offers: a flow that was written by hand may have something else. */
  choice(name: string, ...choices: string[]): Validator;
  /** A colour, or "transparent". */
  fill(name: string): Validator;
  /** A JSON object. */
  json(name: string): Validator;
  /** Whole pixels, or a share of at most `maxPercent` such as "10%". */
  extent(name: string, maxPercent: number): Validator;
  /** Width to height, such as "3:4" or "0.75". */
  aspect(name: string): Validator;
  /** Names and unions of labels, such as "head, upper=UpperClothes+Coat". */
  groups(name: string): Validator;
  /** Numbers with commas between. */
  ids(name: string): Validator;
  /** Ids, tracks and zones, see `src/parsing/redact/keep-text.ts`. */
  keep(name: string): Validator;
  /** JSON of zones and lines, see `src/people/zones/areas.ts`. */
  areas(name: string): Validator;
  /** "square", "4:5" or "1080x1350". */
  canvas(name: string): Validator;
  /** `all`, `largest`, or numbers with commas between. */
  people(name: string): Validator;
  /** A choice of labels: at least one. */
  parts(name: string): Validator;
  /** A TypedInput whose type is in the property `name` + "Type". What an older flow does not have is valid. */
  property(name: string): Validator;
  /** The same, which may be blank. */
  optional(name: string): Validator;
  /** A property of the message, or blank. */
  inMessage(name: string): Validator;
  /** A field of the config node that belongs to one source of models, see {@link ofSource}. */
  ofSource(name: string): Validator;
}

const ASPECT = /^\d+(\.\d+)?(\s*[:/x]\s*\d+(\.\d+)?)?$/;
const GROUPS = /^[^=,;]+(=[^=,;]+)?([,;]\s*[^=,;]+(=[^=,;]+)?)*[,;]?$/;
const IDS = /^\d+\s*(?:,\s*\d+\s*)*$/;
const CANVAS = /^(?:square|\d+(?:\.\d+)?\s*:\s*\d+(?:\.\d+)?|\d{1,5}\s*[x×]\s*\d{1,5})$/i;
const PEOPLE = /^(?:all|largest|\d+\s*(?:,\s*\d+\s*)*)$/;

/** The checks for the fields of the node `type`. */
export function createValidators(RED: EditorRed, $: Dollar, type: string): Validators {
  const label = (name: string): string => nodeText(RED, type, `label.${name}`);

  const check =
    (name: string, key: string, isRight: (value: unknown) => boolean, values?: Values): Validator =>
    // Two parameters, or Node-RED takes the message for "valid".
    (value, opt) => {
      if (isBlank(value) || isVariable(value) || isRight(value)) return true;
      return opt ? sharedText(RED, `invalid.${key}`, { field: label(name), ...values }) : false;
    };

  const matching =
    (key: string, pattern: RegExp) =>
    (name: string): Validator =>
      check(name, key, (value) => pattern.test(textOf(value)));

  const typed =
    (input: { type?: string; allowBlank?: boolean }) =>
    (name: string): Validator => {
      const where = input.type === undefined ? { typeField: `${name}Type` } : {};
      const isRight = RED.validators.typedInput({ ...where, ...input, allowUndefined: true });
      return function (value, opt) {
        return isRight.call(this, value, opt && { ...opt, label: label(name) });
      };
    };

  return {
    between: (name, min, max) =>
      check(name, 'number', (value) => isBetween(Number(value), min, max), { min, max }),
    whole: (name, min, max) =>
      check(name, 'whole', (value) => Number.isInteger(Number(value)) && isBetween(Number(value), min, max), {
        min,
        max,
      }),
    choice:
      (name, ...choices) =>
      (value, opt) => {
        // Null is what a select says in which nothing is chosen.
        if ((value !== null && isBlank(value)) || isVariable(value)) return true;
        if (typeof value === 'string' && choices.includes(value)) return true;
        return opt ? sharedText(RED, 'invalid.choice', { field: label(name) }) : false;
      },
    color: (name) => check(name, 'color', isColor),
    fill: (name) =>
      check(name, 'color', (value) => textOf(value).toLowerCase() === 'transparent' || isColor(value)),
    json: (name) => check(name, 'colors', isJsonObject),
    extent: (name, maxPercent) => check(name, 'extent', (value) => isExtent(textOf(value), maxPercent)),
    aspect: matching('aspect', ASPECT),
    groups: matching('groups', GROUPS),
    ids: matching('ids', IDS),
    keep: (name) => check(name, 'keep', isKeep),
    people: matching('people', PEOPLE),
    canvas: matching('canvas', CANVAS),
    areas: (name) => check(name, 'areas', areAreas),
    parts: (name) => check(name, 'parts', (value) => !isNone(value)),
    property: typed({}),
    optional: typed({ allowBlank: true }),
    inMessage: typed({ type: 'msg', allowBlank: true }),
    ofSource: (name) => ofSource(RED, $, name),
  };
}

function textOf(value: unknown): string {
  return String(value).trim();
}

/** Node-RED itself puts the value in when the flow starts; what that is, only the server knows. */
function isVariable(value: unknown): boolean {
  return typeof value === 'string' && /^\s*\$\{[^}]+\}\s*$/.test(value);
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

function isBetween(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function isExtent(text: string, maxPercent: number): boolean {
  const [, percent] = /^(\d+(?:\.\d+)?)\s*%$/.exec(text) ?? [];
  return percent === undefined ? /^\d+$/.test(text) : Number(percent) <= maxPercent;
}

function isColor(value: unknown): boolean {
  try {
    parseColor('', value);
    return true;
  } catch {
    return false;
  }
}

function isKeep(value: unknown): boolean {
  try {
    readKeep('', textOf(value));
    return true;
  } catch {
    return false;
  }
}

function areAreas(value: unknown): boolean {
  try {
    readAreas('', value);
    return true;
  } catch {
    return false;
  }
}

function isJsonObject(value: unknown): boolean {
  try {
    const parsed: unknown = JSON.parse(String(value));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}
