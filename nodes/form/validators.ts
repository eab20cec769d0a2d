/**
 * Checks of the forms' fields. A message names the field by its label; a blank field leaves the choice to the default, and
 * `${NAME}` to an environment variable.
 */
import { parseColor } from '../../src/parsing/options/palette.ts';
import { isNone } from './chosen.ts';
import type { EditorRed, Validator } from './editor.ts';
import { nodeText, sharedText, type Values } from './texts.ts';

export interface Validators {
  /** A number from `min` to `max`. */
  between(name: string, min: number, max: number): Validator;
  /** A whole number from `min` to `max`. */
  whole(name: string, min: number, max: number): Validator;
  /** "#rgb", "#rrggbb" or a name such as "red". */
  color(name: string): Validator;
  /** A JSON object. */
  json(name: string): Validator;
  /** Pixels, or a share such as "10%". */
  padding(name: string): Validator;
  /** A choice of labels: at least one. */
  parts(name: string): Validator;
  /** A TypedInput whose type is in the property `name` + "Type". What an older flow does not have is valid. */
  property(name: string): Validator;
}

/** The checks for the fields of the node `type`. */
export function createValidators(RED: EditorRed, type: string): Validators {
  const label = (name: string): string => nodeText(RED, type, `label.${name}`);

  const check =
    (name: string, key: string, isRight: (value: unknown) => boolean, values?: Values): Validator =>
    // Two parameters, or Node-RED takes the message for "valid".
    (value, opt) => {
      if (isBlank(value) || isVariable(value) || isRight(value)) return true;
      return opt ? sharedText(RED, `invalid.${key}`, { field: label(name), ...values }) : false;
    };

  return {
    between: (name, min, max) =>
      check(name, 'number', (value) => isBetween(Number(value), min, max), { min, max }),
    whole: (name, min, max) =>
      check(name, 'whole', (value) => Number.isInteger(Number(value)) && isBetween(Number(value), min, max), {
        min,
        max,
      }),
    color: (name) => check(name, 'color', isColor),
    json: (name) => check(name, 'colors', isJsonObject),
    padding: (name) => check(name, 'padding', (value) => /^\s*(\d*|\d+(\.\d+)?\s*%)\s*$/.test(String(value))),
    parts: (name) => check(name, 'parts', (value) => !isNone(value)),
    property(name) {
      const isRight = RED.validators.typedInput({ typeField: `${name}Type`, allowUndefined: true });
      return function (value, opt) {
        return isRight.call(this, value, opt && { ...opt, label: label(name) });
      };
    },
  };
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

function isColor(value: unknown): boolean {
  try {
    parseColor('', value);
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
