/** Names of jobs: nobody guesses one, and they sort by when they were accepted. */
import { randomBytes } from 'node:crypto';

const PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let last = 0;

/**
 * A UUID of version 7 (RFC 9562): milliseconds, then a count within them, then 62 random bits.
 * @param now milliseconds since 1970; a clock that is put back makes no id that sorts before the one before
 */
export function newJobId(now = Date.now()): string {
  // The count of RFC 9562's method 1, 12 bits: where it runs over, the next millisecond begins early.
  last = Math.max(last + 1, now * 4096);
  const time = Math.floor(last / 4096)
    .toString(16)
    .padStart(12, '0');
  const count = (last % 4096).toString(16).padStart(3, '0');
  const random = randomBytes(8);
  random[0] = 0x80 | (random[0]! & 0x3f);
  const tail = random.toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

/** Whether a text is an id, and so no path. */
export function isJobId(text: unknown): text is string {
  return typeof text === 'string' && PATTERN.test(text);
}

/** When the job was accepted, milliseconds since 1970. */
export function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
