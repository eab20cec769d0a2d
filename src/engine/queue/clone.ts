/** Copies of results: a flow may change the `msg.parsing` that it got, and nobody else's. */

/**
 * A copy of plain data that shares nothing which may be changed: all objects and arrays are new, Buffers are the
 * same ones, for nobody writes into those.
 */
export function clone<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(clone) as T;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, clone(entry)])) as T;
}
