/** ModelScope's `configuration.json`: the keys that tell something about the network or its use. */
import { parseJson, readBounded } from '../bounded-file.ts';
import { M2fpError } from '../errors.ts';

/** The keys of its entry `model`; every one may be absent. */
export interface ModelConfiguration {
  backbone: Section;
  encoder: Section;
  decoder: Section;
  classes?: string[];
  singleHuman?: boolean;
  numParsing?: number;
  scoreThreshold?: number;
  /** Ours; ModelScope ignores keys that it does not know. */
  mapConfidence?: number;
  /** [width, height] of the single-human canvas. */
  canvas?: [number, number];
}

/** ModelScope's have about 4 kB. */
const MAX_BYTES = 2 ** 20;

/** A canvas beyond this takes more memory than a network of this kind can use. */
const MAX_SIDE = 4096;

type Section = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads the file.
 * @returns undefined where there is none
 * @throws M2fpError M2FP_CHECKPOINT_INVALID where it is not the configuration of an M2FP model
 */
export async function readConfiguration(file: string): Promise<ModelConfiguration | undefined> {
  const fail = (reason: string) => new M2fpError('M2FP_CHECKPOINT_INVALID', `${file}: ${reason}`);
  let text: string;
  try {
    text = await readBounded(file, MAX_BYTES);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw fail(`it cannot be read (${code === undefined ? `it ${message}` : message})`);
  }
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw fail(`it ${(error as Error).message}; download it again`);
  }
  const model = isObject(json) ? json['model'] : undefined;
  if (!isObject(model))
    throw fail('it has no entry "model", so it is not the configuration of a ModelScope model');
  const type = model['type'];
  if (type !== undefined && type !== 'm2fp') {
    // A link may lead to any file: only what looks like a type is repeated.
    const named = typeof type === 'string' && /^[\w-]{1,40}$/.test(type) ? `type "${type}"` : 'another type';
    throw fail(`it describes a model of ${named}; only "m2fp" (human parsing) can be converted`);
  }
  return parseModel(model, fail);
}

function parseModel(model: Record<string, unknown>, fail: (reason: string) => M2fpError): ModelConfiguration {
  const section = (name: string) => {
    const value = model[name] ?? {};
    if (!isObject(value)) throw fail(`model.${name} is no object`);
    return value;
  };
  const optional = <T>(
    name: string,
    wanted: string,
    check: (value: unknown) => value is T,
  ): T | undefined => {
    const value = model[name];
    if (value === undefined || value === null) return undefined;
    if (!check(value)) throw fail(`model.${name} is not ${wanted}`);
    return value;
  };
  const isShare = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;
  const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  const isStrings = (value: unknown): value is string[] =>
    Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
  const configuration: ModelConfiguration = {
    backbone: section('backbone'),
    encoder: section('encoder'),
    decoder: section('decoder'),
  };
  const classes = optional('classes', 'a list of names', isStrings);
  const singleHuman = optional(
    'single_human',
    'true or false',
    (value): value is boolean => typeof value === 'boolean',
  );
  const numParsing = optional('num_parsing', 'a whole number of 0 or more', isIndex);
  const scoreThreshold = optional('parsing_ins_score_thr', 'a number from 0 to 1', isShare);
  const mapConfidence = optional('label_map_confidence', 'a number from 0 to 1', isShare);
  const input = optional('input_single_human', 'an object', isObject);
  if (classes !== undefined) configuration.classes = classes;
  if (singleHuman !== undefined) configuration.singleHuman = singleHuman;
  if (numParsing !== undefined) configuration.numParsing = numParsing;
  if (scoreThreshold !== undefined) configuration.scoreThreshold = scoreThreshold;
  if (mapConfidence !== undefined) configuration.mapConfidence = mapConfidence;
  if (input !== undefined) {
    // ModelScope uses the first size only, and gives width before height.
    const size = (input['sizes'] as unknown[] | undefined)?.[0];
    if (
      !Array.isArray(size) ||
      size.length !== 2 ||
      !size.every((side) => Number.isInteger(side) && side > 0 && side <= MAX_SIDE)
    ) {
      throw fail(
        `model.input_single_human.sizes does not start with a pair [width, height] of at most ${MAX_SIDE} pixels`,
      );
    }
    configuration.canvas = [size[0] as number, size[1] as number];
  }
  return configuration;
}
