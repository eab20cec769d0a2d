/** What may travel on a message: plain objects, arrays, primitives and Buffers. */

const UNTOUCHED = new Set(['req', 'res']);

/** The paths of everything in `value` that Node-RED's clone would slow down on or break. */
export function notPlain(value: unknown, path = 'msg'): string[] {
  if (value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value)) return [];
  if (Buffer.isBuffer(value)) return [];
  if (Array.isArray(value)) return value.flatMap((entry, index) => notPlain(entry, `${path}[${index}]`));
  const prototype = typeof value === 'object' ? (Object.getPrototypeOf(value) as unknown) : undefined;
  if (prototype !== Object.prototype && prototype !== null) return [path];
  return Object.entries(value as object)
    .filter(([name]) => !(path === 'msg' && UNTOUCHED.has(name)))
    .flatMap(([name, entry]) => notPlain(entry, `${path}.${name}`));
}
