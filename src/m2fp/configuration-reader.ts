/** Takes from `configuration.json` what no tensor tells, and compares what tensors tell with it. */
import type { M2fpError } from '../errors.ts';
import type { ModelConfiguration } from './configuration.ts';
import type { Origins } from './origin.ts';

type SectionName = 'backbone' | 'encoder' | 'decoder';

const isSize = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;

/** True where a value has the type of `example`. */
function fits<T extends number | boolean | number[]>(value: unknown, example: T): value is T {
  if (Array.isArray(example)) {
    return Array.isArray(value) && value.length === example.length && value.every(isSize);
  }
  return typeof example === 'number' ? isSize(value) : typeof value === 'boolean';
}

/** A value of the configuration, short enough for a line. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** What a value of the type of `example` is called. */
function nameOf(example: number | boolean | number[]): string {
  if (Array.isArray(example)) return `a list of ${example.length} positive whole numbers`;
  return typeof example === 'number' ? 'a positive whole number' : 'true or false';
}

export class ConfigurationReader {
  readonly warnings: string[] = [];
  /** Where the values that were read come from, by the path of the hyper-parameter. */
  readonly origins: Origins = {};
  readonly #configuration: ModelConfiguration | undefined;
  readonly #fail: (reason: string) => M2fpError;

  constructor(configuration: ModelConfiguration | undefined, fail: (reason: string) => M2fpError) {
    this.#configuration = configuration;
    this.#fail = fail;
  }

  /** An entry as it stands; undefined where it is absent or null. */
  peek(section: SectionName, key: string): unknown {
    return this.#configuration?.[section][key] ?? undefined;
  }

  /**
   * The function that reads entries of a section: the hyper-parameter's name, the entry's, and the value for
   * an absent one, of which the entry must have the type; numbers are whole and at least 1.
   */
  section(section: 'backbone' | 'decoder') {
    return <T extends number | boolean | number[]>(name: string, key: string, fallback: T): T => {
      const value = this.peek(section, key);
      this.origins[`${section}.${name}`] = value === undefined ? 'default' : 'configuration';
      if (value === undefined) return fallback;
      if (fits(value, fallback)) return value;
      throw this.#fail(
        `configuration.json: model.${section}.${key} is ${shown(value)}, not ${nameOf(fallback)}`,
      );
    };
  }

  /** Notes where the configuration says something else than the tensors. */
  compare(section: SectionName, key: string, found: number | boolean | undefined): void {
    const value = this.peek(section, key);
    if (value !== undefined && found !== undefined && value !== found) this.differs(section, key, found);
  }

  /** Notes that the tensors say something else. */
  differs(section: SectionName, key: string, found: number | boolean | string): void {
    const value = shown(this.peek(section, key));
    this.warnings.push(
      `configuration.json says model.${section}.${key} = ${value}, the tensors say ${found} (used)`,
    );
  }
}
