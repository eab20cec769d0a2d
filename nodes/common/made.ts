/** Remembers pictures that our nodes made: preview shows those rather than their source. */

/**
 * By the memory that they lie in: a message that goes to several nodes is cloned, and the Buffers of its clones share
 * it. Small Buffers share theirs with others, so the place in it counts, too.
 */
const places = new WeakMap<ArrayBufferLike, Set<string>>();

/** Notes that one of our nodes made `image`. */
export function markMade(image: Buffer): void {
  const known = places.get(image.buffer) ?? new Set();
  places.set(image.buffer, known.add(placeOf(image)));
}

/** Whether one of our nodes made `image`, or the Buffer that it is a clone of. */
export function isMade(image: Buffer): boolean {
  return places.get(image.buffer)?.has(placeOf(image)) === true;
}

function placeOf({ byteOffset, length }: Buffer): string {
  return `${byteOffset}:${length}`;
}
