/** The number fields of the config node, in the units of the engine. */
import { MAX_TIMEOUT } from '../../src/engine/options.ts';
import { MOST_BYTES, MOST_PIXELS } from '../../src/image/limits.ts';
import { numberField } from '../common/fields.ts';
import { badField, type Entered, rangeOf } from '../common/stored-form.ts';
import { FIELDS, type ModelConfig } from './config.ts';

/** Those that processes on this machine have, and workers on others do not. */
const OF_PROCESSES = ['threads', 'processes', 'warmUp', 'idleUnload', 'maxMemory'];

/** Whether the form hides a field, which means nothing for the source of models that is chosen. */
export function isHidden(source: unknown, name: string): boolean {
  if (name === 'precision' || name === 'pictures') return source !== 'modelscope' && source !== 'folder';
  return source === 'remote' && OF_PROCESSES.includes(name);
}

/** What one of a field is to the engine, and from how many of the engine's to how many a field goes. */
interface Unit {
  size: number;
  min: number;
  max: number;
  /** For errors, which name the field as the form's help does. */
  words: string;
}

const UNITS = {
  timeout: unit(1000, 0, MAX_TIMEOUT, 'seconds'),
  idleUnload: unit(60_000, 0, MAX_TIMEOUT, 'minutes'),
  maxImageSize: unit(2 ** 20, 1, MOST_BYTES, 'MiB'),
  maxMegapixels: unit(1_000_000, 1, MOST_PIXELS, 'megapixels'),
};

function unit(size: number, min: number, max: number, name: string): Unit {
  return {
    size,
    min,
    max,
    words: `${min === 0 ? 'from 0' : 'above 0'} to ${Math.floor(max / size)} ${name}`,
  };
}

type NumberName = {
  [Name in keyof typeof FIELDS]: (typeof FIELDS)[Name] extends {
    read(name: string, given: unknown): infer Value;
  }
    ? Extract<Value, number> extends never
      ? never
      : Name
    : never;
}[keyof typeof FIELDS];

/** Undefined stands for a blank field. */
export class Numbers {
  readonly #config: ModelConfig;
  readonly #entered: Entered;

  constructor(config: ModelConfig, entered: Entered) {
    this.#config = config;
    this.#entered = entered;
  }

  /** @throws {M2fpError} `M2FP_BAD_OPTION` for what is no number; its range is for the engine to check */
  get(name: NumberName): number | undefined {
    return numberField(name, this.#config[name], rangeOf(FIELDS[name].form), this.#entered);
  }

  /** The same in the engine's unit, whole. @throws {M2fpError} `M2FP_BAD_OPTION`, also outside of the range */
  inUnit(name: keyof typeof UNITS): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const { size, min, max, words } = UNITS[name];
    const inEngine = Math.round(value * size);
    if (inEngine >= min && inEngine <= max) return inEngine;
    throw badField(name, this.#config[name], words, this.#entered);
  }
}
