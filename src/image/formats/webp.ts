/** The first frame of a WebP. */

/** Names of chunks, as numbers. */
const FRAME = 0x464d4e41; // ANMF
const EXIF = 0x46495845;

/**
 * The WebP without the frames after its first: the decoder goes through all of them for each, which takes minutes where
 * they are many. A pad byte that is missing at the end is put back.
 *
 * Source: RFC 9649, section 2.7.
 */
export function firstWebpFrame(bytes: Buffer): Buffer {
  if (bytes.length < 12) return bytes;
  const end = bytes.readUInt32LE(4) + 8;
  if (end === bytes.length + 1) return firstWebpFrame(Buffer.concat([bytes, Buffer.alloc(1)]));
  let frames = 0;
  let frameEnd = 0;
  let exif: Buffer | null = null;
  for (let at = 12; at + 8 <= Math.min(end, bytes.length);) {
    const name = bytes.readUInt32LE(at);
    const length = bytes.readUInt32LE(at + 4);
    const next = at + 8 + length + (length & 1);
    if (name === FRAME && ++frames === 1) frameEnd = next;
    // How the picture is turned stands behind the frames.
    if (name === EXIF) exif ??= bytes.subarray(at, next);
    at = next;
  }
  if (frames < 2) return bytes;
  const kept = [bytes.subarray(0, frameEnd), ...(exif === null ? [] : [exif])];
  const first = Buffer.concat(kept);
  first.writeUInt32LE(first.length - 8, 4);
  return first;
}
