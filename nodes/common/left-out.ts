/**
 * What Node-RED cannot copy, or not in time, is left out of messages. Node-RED copies a message for each Catch node, and
 * for each wire but the first; a copy that fails loses the message, and one of a million values holds everybody up.
 */
import { types } from 'node:util';
import type { NodeAPI, NodeMessage } from 'node-red';

type Copies = Pick<NodeAPI, 'util'>;
type Properties = Record<string, unknown>;

/** Values that are copied in a few milliseconds; no more are counted. */
export const MANY = 10_000;

/** Node-RED's copying calls itself for each level, and the stack ends at some thousand. Nothing meaningful is so deep. */
const DEEP = 500;

/** Own properties that Node-RED hands on without copying them. */
const NEVER_COPIED: ReadonlySet<string> = new Set(['req', 'res']);

/** What copying a value may meet: nothing, more than {@link MANY} values, too many levels, or what is no plain data. */
type Trouble = 'none' | 'many' | 'deep' | 'odd';

/**
 * Looks through a value, at {@link MANY} values in it at the most.
 * @param few whether its objects are known to have no more than some thousand names; where they are not, an object
 *   counts as many: to count its names V8 lists them all, which may take a fifth of a second
 */
function lookThrough(root: unknown, few = true): Trouble {
  let left = MANY;
  let trouble: Trouble = 'none';
  const open: { values: ArrayLike<unknown>; at: number; depth: number }[] = [
    { values: [root], at: 0, depth: 0 },
  ];
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    if (inner.at >= inner.values.length) {
      open.pop();
      continue;
    }
    if (left-- <= 0) return 'many';
    const depth = inner.depth + 1;
    try {
      const value = inner.values[inner.at++];
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) continue;
      if (types.isProxy(value) || isUnreadable(value)) trouble = 'odd';
      else if (isCopiedByEntry(value)) left -= value.length;
      else if (typeof value === 'function' || types.isArrayBufferView(value) || types.isAnyArrayBuffer(value))
        continue;
      else if (inner.depth >= DEEP) return 'deep';
      else if (Array.isArray(value)) open.push({ values: value, at: 0, depth });
      else if (!few) return 'many';
      else open.push({ values: valuesOf(value), at: 0, depth });
    } catch {
      // A getter that throws.
      trouble = 'odd';
    }
    if (left < 0) return 'many';
  }
  return trouble;
}

function valuesOf(object: object): unknown[] {
  const names = Object.keys(object);
  return names.slice(0, MANY + 1).map((name) => (object as Properties)[name]);
}

/** Node-RED lists the entries of typed arrays that are no Buffer, as those of any object. */
const isCopiedByEntry = (value: object): value is NodeJS.TypedArray =>
  types.isTypedArray(value) && !Buffer.isBuffer(value);

/** Whether what each copy begins with fails: its kind, or the memory of a typed array. Throws where a getter does. */
function isUnreadable(value: object): boolean {
  void (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return types.isArrayBufferView(value) && isDetached(value);
}

function isDetached({ buffer }: NodeJS.ArrayBufferView): boolean {
  try {
    return new Uint8Array(buffer, 0, 0).length !== 0;
  } catch {
    return true;
  }
}

const countOf = (count: number): string => count.toLocaleString('en-US');

/** What a value is, in words; nothing of it is read that could throw. */
function describe(value: unknown): string {
  if (types.isProxy(value)) return 'a Proxy';
  if (typeof value === 'function') return 'a function';
  if (types.isTypedArray(value) && !Buffer.isBuffer(value)) return 'a typed array';
  if (types.isArrayBufferView(value)) return 'a Buffer';
  if (!Array.isArray(value)) return 'an object';
  const first: unknown = Object.getOwnPropertyDescriptor(value, 0)?.value;
  const kind =
    first === null || first === undefined ? 'value' : Array.isArray(first) ? 'array' : typeof first;
  return `an array of ${countOf(value.length)} ${kind}${value.length === 1 ? '' : 's'}`;
}

/** Bytes of a body whose names are listed in some ten milliseconds. */
const SMALL_BODY = 1024 * 1024;

/** Whether what the message brings can hold some ten thousand names at the most; true also where no request brought it. */
function isSmall(msg: NodeMessage): boolean {
  const { headers = {} } = ((msg as Properties)['req'] ?? {}) as { headers?: Record<string, string> };
  const length = headers['content-length'];
  return length === undefined ? headers['transfer-encoding'] === undefined : Number(length) <= SMALL_BODY;
}

/**
 * Puts a short text in the place of what was refused, where copying it would hold Node-RED up.
 * @param path of the property, as the forms have it
 */
export function leaveOutMany(RED: Copies, msg: NodeMessage, path: string): void {
  try {
    const value: unknown = RED.util.getMessageProperty(msg, path);
    const trouble = lookThrough(value, isSmall(msg));
    if (trouble !== 'many' && trouble !== 'deep') return;
    RED.util.setMessageProperty(
      msg,
      path,
      `${describe(value)}, left out of this message because copying it would hold Node-RED up`,
    );
  } catch {
    // What cannot be read cannot be copied, either: that shows when it is.
  }
}

/** The text that stands for what cannot be copied; undefined for what can. */
function textInstead(RED: Copies, msg: NodeMessage, name: string): string | undefined {
  let value: unknown;
  try {
    value = (msg as Properties)[name];
  } catch (error) {
    return `left out of this message because reading it fails (${reasonOf(error)})`;
  }
  const because = 'left out of this message because Node-RED cannot copy it';
  const trouble = lookThrough(value);
  if (trouble === 'deep') return `${describe(value)}, ${because}: it is nested more than ${DEEP} deep`;
  if (trouble === 'none') return undefined;
  try {
    RED.util.cloneMessage({ value });
    return undefined;
  } catch (error) {
    return `${describe(value)}, ${because} (${reasonOf(error)})`;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : 'something that is no error was thrown';
}

/** A message with what `msg` has, but with texts in place of what cannot be copied. */
export function withoutUncopyable(RED: Copies, msg: NodeMessage): NodeMessage {
  const entries = Object.keys(msg).map((name): [string, unknown] => [
    name,
    NEVER_COPIED.has(name)
      ? (msg as Properties)[name]
      : (textInstead(RED, msg, name) ?? (msg as Properties)[name]),
  ]);
  return Object.fromEntries(entries) as NodeMessage;
}

/** The same in place: for a result that is copied for several wires, which otherwise would go along the first only. */
export function leaveOutUncopyable(RED: Copies, msg: NodeMessage): void {
  for (const name of Object.keys(msg)) {
    if (NEVER_COPIED.has(name)) continue;
    const text = textInstead(RED, msg, name);
    // A property that was made to stay as it is does so.
    if (text !== undefined) Reflect.defineProperty(msg, name, { value: text, ...PLAIN });
  }
}

const PLAIN = { writable: true, enumerable: true, configurable: true } as const;
