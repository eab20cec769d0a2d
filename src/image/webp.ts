/** The first frame of a WebP. */

const FRAME = 'ANMF';

/**
 * The WebP without the frames after its first: the decoder goes through all of them for each, which takes minutes where
 * they are many. A pad byte that is missing at the end is put back.
 *
 * Source: RFC 9649, section 2.7.
 */
export function firstWebpFrame(bytes: Buffer): Buffer {
  if (bytes.length < 12) return bytes;
  const end = bytes.readUInt32LE(4) + 8;
  const kept: Buffer[] = [];
  let frames = 0;
  let from = 12;
  for (let at = 12; at + 8 <= Math.min(end, bytes.length);) {
    const next = at + 8 + bytes.readUInt32LE(at + 4);
    const isFrame = bytes.toString('latin1', at, at + 4) === FRAME;
    const padded = next + (next & 1);
    if (isFrame && ++frames > 1) {
      if (from < at) kept.push(bytes.subarray(from, at));
      from = padded;
    }
    at = padded;
  }
  const isUnpadded = end === bytes.length + 1;
  if (frames < 2 && !isUnpadded) return bytes;
  if (from < bytes.length) kept.push(bytes.subarray(from, end));
  if (isUnpadded) kept.push(Buffer.alloc(1));
  const head = Buffer.from(bytes.subarray(0, 12));
  head.writeUInt32LE(
    kept.reduce((sum, { length }) => sum + length, 4),
    4,
  );
  return Buffer.concat([head, ...kept]);
}
