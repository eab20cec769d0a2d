/** Is this value a parsing? Messages come from anywhere: a function node, a file, another version of ours. */
import { M2fpError } from '../errors.ts';
import { isRecord, isWhole, show } from './options/options.ts';
import type { Parsing } from './types.ts';

/** The part of a parsing that is the same wherever it was made. */
export type ParsingResult = Omit<Parsing, 'image' | 'model' | 'cached' | 'timing'>;

/** Makes the error that says why a value is no parsing. */
type Fail = (reason: string) => Error;

/** A label map holds bytes, and two values stay free for "unknown" and "not painted". */
const MAX_LABELS = 254;
/** A person map holds bytes, and 0 means nobody. */
const MAX_PERSON = 255;
/** The network gives a hundred of each view of the picture; whoever merges parsings may have some more. */
const MAX_PARTS = 10_000;
/** Milliseconds; setTimeout takes no more, and no picture takes as long. */
const MAX_TIME = 2 ** 31 - 1;
/** Pixels of a side of the network's input; preprocess makes no larger ones. */
const MAX_NETWORK = 8192;

/** What times a parsing tells of. */
const STAGES = ['queue', 'decode', 'preprocess', 'inference', 'postprocess', 'total'] as const;

function noParsing(reason: string): M2fpError {
  return new M2fpError(
    'M2FP_NO_PARSING',
    `This is not a parsing (${reason}): wire an M2FP infer node before this node, and keep its msg.parsing as it is.`,
  );
}

/**
 * The error for a parsing of which reading a property threw, as a getter or a proxy can: what is no M2fpError becomes
 * `M2FP_NO_PARSING`.
 */
export function readingError(error: unknown): M2fpError {
  if (error instanceof M2fpError) return error;
  return noParsing(
    `a property of it cannot be read: ${error instanceof Error ? error.message : show(error)}`,
  );
}

/** What every parsing has, whatever version of ours made it. */
const FIELDS = ['image', 'width', 'height', 'labels', 'labelMap', 'personMap', 'persons', 'parts'] as const;

/** The names of what every parsing has and `value` has not, or null in its place; empty where there is all. */
export function missingFields(value: Record<string, unknown>): (typeof FIELDS)[number][] {
  return FIELDS.filter((name) => value[name] === undefined || value[name] === null);
}

/** What is known of a parsing while its persons and parts are looked at. */
interface Frame {
  width: number;
  height: number;
  /** Number of labels. */
  labels: number;
  /** Ids that were seen. */
  persons: Set<number>;
  parts: Set<number>;
  fail: Fail;
}

/**
 * Checks what persons and parts have in common.
 * @param ids of those before it
 */
function checkRegion(
  name: string,
  value: unknown,
  { width, height, fail }: Frame,
  ids: Set<number>,
): asserts value is Record<string, unknown> {
  if (!isRecord(value)) throw fail(`${name} is not an object`);
  // What others added, too, is read later: what throws then throws now.
  Object.values(value);
  const { id, score, box, area, mask } = value;
  if (!isWhole(id, 1, Number.MAX_SAFE_INTEGER)) throw fail(`${name}.id is not a whole number from 1`);
  if (ids.has(id)) throw fail(`${name}.id is ${id} as that of another one`);
  ids.add(id);
  if (typeof score !== 'number' || !(score >= 0 && score <= 1)) {
    throw fail(`${name}.score is not a number from 0 to 1`);
  }
  if (!isWhole(area, 0, width * height)) throw fail(`${name}.area is not a count of pixels`);
  const inside =
    isRecord(box) &&
    isWhole(box.x, 0, width) &&
    isWhole(box.y, 0, height) &&
    isWhole(box.width, 0, width - box.x) &&
    isWhole(box.height, 0, height - box.y);
  if (!inside) throw fail(`${name}.box is not a box inside the picture`);
  if (area > Number(box.width) * Number(box.height)) throw fail(`${name}.area is larger than its box`);
  const { size, counts } = isRecord(mask) ? mask : {};
  const fits = Array.isArray(size) && size.length === 2 && size[0] === height && size[1] === width;
  if (!fits || typeof counts !== 'string')
    throw fail(`${name}.mask is not a run-length mask of the picture's size`);
}

/**
 * Throws unless `value` has all that drawing, cropping and summing up need of a parsing, in consistent sizes. What
 * the masks' runs and the encoded picture hold shows only when they are decoded.
 * @throws {M2fpError} `M2FP_NO_PARSING` naming the first property that is wrong, or saying why one cannot be read.
 */
export function checkParsing(value: unknown): asserts value is Parsing {
  try {
    checkFields(value);
  } catch (error) {
    throw readingError(error);
  }
}

function checkFields(value: unknown): void {
  if (value === undefined || value === null) throw noParsing('there is none');
  if (!isRecord(value)) throw noParsing('it is not an object');
  Object.values(value);
  const missing = missingFields(value);
  if (missing.length > 0) throw noParsing(`it has no ${missing.join(', no ')}`);
  checkSize(value, noParsing);
  if (!Buffer.isBuffer(value['image'])) throw noParsing('image is not a Buffer');
  checkResult(value, noParsing);
}

/** Checks the size of the picture, of which maps and boxes depend. */
function checkSize(
  value: Record<string, unknown>,
  fail: Fail,
): asserts value is Record<string, unknown> & Record<'width' | 'height', number> {
  for (const side of ['width', 'height'] as const) {
    if (!isWhole(value[side], 1, Number.MAX_SAFE_INTEGER)) {
      throw fail(`${side} is not a whole number from 1`);
    }
  }
}

/**
 * The same for the part of it that the network's output makes; throws what `fail` makes of the reason.
 */
export function checkResult(
  value: Record<string, unknown>,
  fail: Fail,
): asserts value is Record<string, unknown> & ParsingResult {
  checkSize(value, fail);
  const { width, height } = value;
  const { network, labels, labelMap, personMap, persons, parts, doubtful, timing }: Record<string, unknown> =
    value;
  // Absent in what an older version stored.
  if (network !== undefined) {
    const isSize =
      isRecord(network) && isWhole(network.width, 1, MAX_NETWORK) && isWhole(network.height, 1, MAX_NETWORK);
    if (!isSize) throw fail("network is not the size of the network's input");
  }
  if (!Array.isArray(labels)) throw fail('labels is not a list of names');
  if (labels.length < 1 || labels.length > MAX_LABELS) {
    throw fail(`labels has ${labels.length} entries, not 1 to ${MAX_LABELS}`);
  }
  if (!labels.every((label) => typeof label === 'string')) throw fail('labels is not a list of names');
  for (const [name, map] of Object.entries({ labelMap, personMap })) {
    if (!Buffer.isBuffer(map) || map.length !== width * height) {
      throw fail(`${name} is not a Buffer of ${width} x ${height} bytes`);
    }
  }

  if (timing !== undefined) checkTiming(timing, fail);

  const frame = {
    width,
    height,
    labels: labels.length,
    persons: new Set<number>(),
    parts: new Set<number>(),
    fail,
  };
  checkLists('', { persons, parts }, frame);
  // Absent in what an older version stored.
  if (doubtful === undefined) return;
  if (!isRecord(doubtful)) throw fail('doubtful is not an object');
  checkLists('doubtful.', doubtful, frame);
}

/** Checks the times that it has; which ones there are depends on where the parsing was made. */
function checkTiming(timing: unknown, fail: Fail): void {
  if (!isRecord(timing)) throw fail('timing is not an object');
  for (const stage of STAGES) {
    const time = timing[stage];
    if (time === undefined) continue;
    if (typeof time !== 'number' || !(time >= 0 && time <= MAX_TIME)) {
      throw fail(`timing.${stage} is not a time in milliseconds`);
    }
  }
}

/** Checks lists of persons and parts, whose names begin with `prefix`. */
function checkLists(prefix: string, { persons, parts }: Record<string, unknown>, frame: Frame): void {
  const { labels, fail } = frame;
  eachOf(`${prefix}persons`, persons, MAX_PERSON, fail, (name, person) => {
    checkRegion(name, person, frame, frame.persons);
    if (!isWhole(person.id, 1, MAX_PERSON)) throw fail(`${name}.id is above ${MAX_PERSON}`);
  });
  eachOf(`${prefix}parts`, parts, MAX_PARTS, fail, (name, part) => {
    checkRegion(name, part, frame, frame.parts);
    if (typeof part.label !== 'string') throw fail(`${name}.label is not a name`);
    if (!isWhole(part.index, 0, labels - 1)) throw fail(`${name}.index is not a label index`);
    if (part.person !== null && !isWhole(part.person, 1, MAX_PERSON)) {
      throw fail(`${name}.person is neither null nor a person's id`);
    }
    if (part.person !== null && !frame.persons.has(part.person)) {
      throw fail(`${name}.person is ${part.person}, and there is no such person`);
    }
  });
}

function eachOf(
  name: string,
  list: unknown,
  most: number,
  fail: Fail,
  check: (name: string, entry: unknown) => void,
): void {
  if (!Array.isArray(list)) throw fail(`${name} is not a list`);
  if (list.length > most) throw fail(`${name} has ${list.length} entries, more than ${most}`);
  for (const [index, entry] of list.entries()) check(`${name}[${index}]`, entry);
}
