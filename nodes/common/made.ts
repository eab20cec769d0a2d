/** Remembers pictures that our nodes made: preview shows those rather than their source. */

/**
 * By the memory that they lie in: a message that goes to several nodes is cloned, and the Buffers of its clones share
 * it. Small Buffers share theirs with others, so the place in it counts, too.
 */
const places = new WeakMap<ArrayBufferLike, Set<string>>();

/** Notes that one of our nodes made `picture`. */
export function markMade(picture: Buffer): void {
  const known = places.get(picture.buffer) ?? new Set();
  places.set(picture.buffer, known.add(placeOf(picture)));
}

/** Whether one of our nodes made `picture`, or the Buffer that it is a clone of. */
export function isMade(picture: Buffer): boolean {
  return places.get(picture.buffer)?.has(placeOf(picture)) === true;
}

function placeOf({ byteOffset, length }: Buffer): string {
  return `${byteOffset}:${length}`;
}
