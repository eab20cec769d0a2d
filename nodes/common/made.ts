/** Which encoded pictures our nodes made: what comes after them shows those, and not what they were made of. */

/**
 * By the memory that they lie in: a message that goes to several nodes is cloned, and the Buffers of its clones share
 * it. Small Buffers share theirs with others, so the place in it counts, too.
 */
const places = new WeakMap<ArrayBufferLike, Set<string>>();

export function markMade(picture: Buffer): void {
  const known = places.get(picture.buffer) ?? new Set();
  places.set(picture.buffer, known.add(placeOf(picture)));
}

export function isMade(picture: Buffer): boolean {
  return places.get(picture.buffer)?.has(placeOf(picture)) === true;
}

function placeOf({ byteOffset, length }: Buffer): string {
  return `${byteOffset}:${length}`;
}
