/** A picture out of whatever a message carries it in. */
import { types } from 'node:util';
import { A_PROMISE, isThenable } from '../../async.ts';
import { M2fpError } from '../../errors.ts';
import { isEncodedText } from '../formats/format.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { isNetworkInput } from '../network-input.ts';
import { isJsonBuffer } from './json-buffer.ts';
import { atOnce, inTurns, numberedEntries, numbersToBytes, type Steps } from './numbers.ts';
import { imageBytes } from './source-bytes.ts';
import { bytesOfText } from './source-text.ts';
import type { ImageLimits } from '../types.ts';

const FORMS =
  'Accepted are: a Buffer, a base64 string, a data URL (data:image/...;base64,...), an upload ({ buffer }), ' +
  'an array of uploads (msg.req.files), an array of bytes, or an object with one of these in its property "image".';

/** Objects in objects (`{image: {buffer}}`, arrays of those) are followed this far; more would be a circle. */
const MAX_DEPTH = 4;

/** Values that are looked at for a picture, those of nested arrays counted together: uploads are a handful. */
const MAX_VALUES = 64;

/** No picture has less base64: among several values, shorter text is not worth an error of its own. */
const LEAST_TEXT = 40;

/** Longest property list that an error message shows. */
const SHOWN_PROPERTIES = 8;

/** Errors of one value of an array after which the next is tried. */
const PASSED_OVER: ReadonlySet<string> = new Set(['M2FP_NO_IMAGE', 'M2FP_UNSUPPORTED_FORMAT']);

/** Names that are asked for, to tell what an object is, where listing all of its names may take too long. */
const COMMON_NAMES = (
  'type data image buffer picture photo img file files filename originalname path mimetype mime size encoding base64 b64 ' +
  'content contents body bytes binary blob frame snapshot src url uri href name title text value result payload topic ' +
  'parsing persons parts width height id _msgid req res headers status statusCode code error message timestamp'
).split(' ');

/** What {@link find} carries along. */
interface Look {
  limits: ImageLimits;
  /** Whether it is known that an object has no more than some thousand names, so that all of them may be listed. */
  few: boolean;
  /** Values that may still be looked at. */
  left: number;
  /** Why the first value that was looked at is no picture. */
  reason?: M2fpError;
  /** The names of the one object whose names were asked for; see {@link namesOf}. */
  named?: { object: object; names: string[] };
}

/**
 * The names of an object's properties; of a second object none. V8 lists all of them to give the first, a million in
 * a second (by `for ... in`, too): where there may be so many, only known ones are asked for.
 */
function namesOf(object: object, look: Look): string[] {
  look.named ??= {
    object,
    names: look.few ? Object.keys(object) : COMMON_NAMES.filter((name) => Object.hasOwn(object, name)),
  };
  return look.named.object === object ? look.named.names : [];
}

/** The property without what a getter or a Proxy might do to whoever reads it: they end in the one `catch` below. */
function property(value: object, name: string): unknown {
  return name in value ? (value as Record<string, unknown>)[name] : undefined;
}

/** A typed array of numbers that are larger than bytes: what lies in its memory is no file. */
const isOfLargerNumbers = (value: unknown): value is NodeJS.TypedArray =>
  types.isTypedArray(value) &&
  !types.isUint8Array(value) &&
  !types.isUint8ClampedArray(value) &&
  !types.isInt8Array(value);

function describe(value: unknown, look: Look): string {
  if (value === undefined || value === null) return String(value);
  if (isOfLargerNumbers(value))
    return `a ${value[Symbol.toStringTag]}, whose numbers are no bytes; the bytes of a picture come as a Buffer or Uint8Array`;
  if (types.isArrayBufferView(value) || types.isAnyArrayBuffer(value)) return 'a Buffer of 0 bytes';
  if (typeof value === 'string') return 'an empty string';
  if (Array.isArray(value)) {
    if (value.length === 0) return 'an empty array';
    return value.length > MAX_VALUES
      ? `an array of ${value.length} values, of which the first ones hold no picture`
      : 'an array without a picture';
  }
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (types.isDate(value)) return 'a Date';
  if (types.isMap(value)) return 'a Map; pass the value that holds the picture';
  if (types.isSet(value)) return 'a Set; pass the value that holds the picture';
  if (isThenable(value)) return A_PROMISE;
  if (Object.prototype.toString.call(value) === '[object Blob]') {
    return 'a Blob; pass Buffer.from(await blob.arrayBuffer())';
  }
  if (typeof property(value, 'pipe') === 'function') return 'a stream; collect its data in a Buffer first';
  if ('0' in value) return 'an object with numbered entries that are no bytes of a picture';
  const names = namesOf(value, look);
  if (look.named?.object !== value) return 'an object';
  if (names.length === 0)
    return look.few ? 'an empty object' : 'an object without a property in which pictures come';
  const shown = names.slice(0, SHOWN_PROPERTIES).map((name) => name.slice(0, 40));
  const more = !look.few || names.length > SHOWN_PROPERTIES ? ', ...' : '';
  return `an object with the properties ${shown.join(', ')}${more}`;
}

function noImage(value: unknown, look: Look): M2fpError {
  const isOnDisk = typeof value === 'object' && value !== null && 'path' in value && 'mimetype' in value;
  const hint = isOnDisk ? ' The upload was stored on disk: read its file first.' : '';
  return new M2fpError(
    'M2FP_NO_IMAGE',
    `There is no picture here but ${describe(value, look)}.${hint} ${FORMS}`,
  );
}

/** Notes why `value` is no picture, where it is the first to be none. */
function none(value: unknown, look: Look): null {
  look.reason ??= noImage(value, look);
  return null;
}

/** Of what should be bytes, in words: that the entry at the place is none. */
function noByte(what: string, values: ArrayLike<unknown>, at: number): M2fpError {
  const value = values[at];
  const shown =
    typeof value === 'number' ? String(value)
    : typeof value === 'string' ? `the text ${JSON.stringify(value.slice(0, 20))}`
    : value === null || value === undefined ? String(value)
    : `a value of the type ${typeof value}`; // prettier-ignore
  return new M2fpError(
    'M2FP_NO_IMAGE',
    `There is no picture here but ${what} whose entry ${at} is ${shown}; a byte is a number from 0 to 255, whole. ${FORMS}`,
  );
}

/** The first picture among several values; what else lies there (uploads of other kinds) is passed over. */
function* findInArray(values: readonly unknown[], look: Look, depth: number): Steps<Buffer | null> {
  if (typeof values[0] === 'number') {
    const found = yield* findInNumbers('an array', values, values.length, look);
    if (found !== null) return found;
  }
  for (let i = 0; i < values.length && look.left > 0; i++) {
    look.left--;
    const value = values[i];
    // Nothing else can hold one, and the first of them says why.
    const isHopeless =
      typeof value === 'string' ? value.length < LEAST_TEXT : typeof value !== 'object' || value === null;
    if (isHopeless && (look.reason !== undefined || typeof value !== 'string')) {
      look.reason ??= noImage(value, look);
      continue;
    }
    try {
      const found = yield* find(value, look, depth);
      if (found !== null) return found;
    } catch (error) {
      if (!(error instanceof M2fpError && PASSED_OVER.has(error.code))) throw error;
      look.reason ??= error;
    }
  }
  return none(values, look);
}

/** The picture that the numbers are the bytes of. @param what they are, in words */
function* findInNumbers(
  what: string,
  numbers: ArrayLike<unknown>,
  length: number,
  look: Look,
): Steps<Buffer | null> {
  const bytes = yield* numbersToBytes(numbers, length, look.limits);
  if (typeof bytes !== 'number')
    return imageBytes(bytes, look.limits) ?? none(length === 0 ? bytes : numbers, look);
  look.reason ??= noByte(what, numbers, bytes);
  return null;
}

/**
 * The body of a request that said nothing of its type, which curl and others call a form: one field, whose name is the
 * text that was sent, up to its first "=".
 * @throws M2FP_UNSUPPORTED_FORMAT where the name is what is left of a picture
 */
function findInForm(value: object, look: Look): Buffer | null {
  if (!look.few) return none(value, look);
  const [name, more] = namesOf(value, look);
  if (name === undefined) return none(value, look);
  const head = Buffer.from(name.slice(0, 4096));
  if (more === undefined && isEncodedText(head)) {
    const rest = property(value, name);
    return bytesOfText(typeof rest === 'string' && rest !== '' ? `${name}=${rest}` : name, look.limits);
  }
  if (/^(\ufffdPNG|\ufffd\ufffd\ufffd|RIFF.{0,16}WEBP|GIF8[79]a)/s.test(name)) {
    throw new M2fpError(
      'M2FP_UNSUPPORTED_FORMAT',
      'The picture was decoded as a form on the way, which destroyed it, since it was sent without its type: send it ' +
        `with Content-Type: image/jpeg (or png, ...), with curl: -H 'Content-Type: image/jpeg' --data-binary @FILE.`,
    );
  }
  return none(value, look);
}

function* find(value: unknown, look: Look, depth: number): Steps<Buffer | null> {
  const { limits } = look;
  // By their inner nature: what a function node makes is of another realm, and no instance of our classes.
  if (isOfLargerNumbers(value)) return none(value, look);
  if (types.isArrayBufferView(value)) {
    const view = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return imageBytes(view, limits) ?? none(value, look);
  }
  if (types.isAnyArrayBuffer(value)) return imageBytes(Buffer.from(value), limits) ?? none(value, look);
  if (typeof value === 'string') return bytesOfText(value, limits) ?? none(value, look);
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH) return none(value, look);
  if (Array.isArray(value)) return yield* findInArray(value, look, depth + 1);
  if (isJsonBuffer(value)) {
    return yield* findInNumbers('a Buffer as JSON', value.data, value.data.length, look);
  }
  if (isNetworkInput(value)) return yield* find(value.source?.image, look, depth + 1);
  const inner = property(value, 'buffer') ?? property(value, 'image');
  if (inner !== undefined && inner !== null) return yield* find(inner, look, depth + 1);
  if (typeof property(value, '0') === 'number') {
    const length = numberedEntries(value);
    return yield* findInNumbers('an object with numbered entries', value as ArrayLike<unknown>, length, look);
  }
  return findInForm(value, look);
}

/**
 * The encoded picture in `value`, whatever form it came in: a Buffer, typed array, DataView or ArrayBuffer of any
 * realm; a base64 or base64url string, also one whose `+` a form turned into blanks; a data URL; a hex or binary
 * string; such text in a Buffer; an HTTP answer or a part of a stream with its headers; an upload
 * (`{buffer, mimetype, ...}`); an array of those, as `msg.req.files` (its first picture); an array of bytes, or an
 * object that was one (`{"0":255,"1":216,...}`); an object with any of these in `image`; a {@link NetworkInput}; a
 * Buffer that went through JSON. What it is is judged by its bytes alone. Where a Buffer came in, the result is or
 * shares that memory: nobody writes into it. Of arrays only the first values are looked at.
 *
 * Numbers are copied at once here, a million of them in some ten milliseconds; {@link imageFromMessage} lets the event
 * loop turn meanwhile.
 *
 * @throws M2FP_NO_IMAGE nothing there; the message lists the accepted forms
 * @throws M2FP_UNSUPPORTED_FORMAT no picture, or one that is refused; the message says what was found
 * @throws M2FP_IMAGE_TOO_LARGE over `limits.maxBytes`; text and arrays are measured before they are decoded
 * @throws M2FP_BAD_IMAGE a data URL whose base64 is broken
 */
export function imageFrom(value: unknown, limits: ImageLimits = DEFAULT_LIMITS): Buffer {
  return atOnce(steps(value, { limits, few: true, left: MAX_VALUES }));
}

/**
 * The same for what anybody may have sent: millions of numbers, or of names, do not hold the event loop.
 *
 * @param few whether it is known that the value's objects have no more than some thousand names: a picture that became
 *   the name of a field is found then, and errors tell all names
 */
export function imageFromMessage(
  value: unknown,
  limits: ImageLimits = DEFAULT_LIMITS,
  few = false,
): Promise<Buffer> {
  return inTurns(steps(value, { limits, few, left: MAX_VALUES }));
}

function* steps(value: unknown, look: Look): Steps<Buffer> {
  let found: Buffer | null;
  try {
    found = yield* find(value, look, 0);
  } catch (error) {
    if (error instanceof M2fpError) throw error;
    // A getter that throws, a Proxy that was revoked: an object can be made to do anything.
    const reason = error instanceof Error ? error.message : 'something that is no error was thrown';
    throw new M2fpError('M2FP_NO_IMAGE', `The picture cannot be read from what came: ${reason}. ${FORMS}`, {
      cause: error,
    });
  }
  if (found === null) throw look.reason ?? noImage(value, look);
  return found;
}
