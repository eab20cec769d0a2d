/** Reads the file of a picture that was named on the command line: no more of it than a picture may have. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { asM2fpError, M2fpError } from '../errors.ts';
import { imageFrom, limitsFrom } from '../image/index.ts';
import { checkBytes } from '../image/limits.ts';
import type { ImageLimits } from '../image/types.ts';

/** Base64 in lines takes as many characters for a byte of the picture, and a head may stand before it. */
const TEXT_FOR_BYTE = 1.5;
const HEAD = 64 * 1024;

/**
 * The encoded picture in a file or a pipe (`/dev/stdin`).
 * @throws M2fpError M2FP_NO_IMAGE where it cannot be read, or is a folder, a device or a socket; M2FP_IMAGE_TOO_LARGE, before
 *   it is read where its size is known; what `imageFrom` throws
 */
export async function readImage(path: string | Buffer, given: Partial<ImageLimits>): Promise<Buffer> {
  const limits = limitsFrom(given);
  const file = path.toString();
  try {
    const stats = await stat(path);
    if (!stats.isFile() && !stats.isFIFO()) {
      const kind =
        stats.isDirectory() ? 'a folder: name the pictures in it'
        : stats.isSocket() ? 'a socket, not a picture'
        : 'a device, not a picture'; // prettier-ignore
      throw new M2fpError('M2FP_NO_IMAGE', `${file} is ${kind}`);
    }
    const most = Math.ceil(limits.maxBytes * TEXT_FOR_BYTE) + HEAD;
    if (stats.size > most) checkBytes(stats.size, limits);
    const bytes = await readAtMost(path, most, limits);
    if (bytes.length === 0) throw new M2fpError('M2FP_NO_IMAGE', `${file} is empty: it has 0 bytes`);
    return imageIn(file, bytes, limits);
  } catch (error) {
    throw asM2fpError(error, 'M2FP_NO_IMAGE', 'The picture cannot be read');
  }
}

/** The one in bytes that are not none. What `imageFrom` tells of nothing is meant for messages. */
function imageIn(file: string, bytes: Buffer, limits: ImageLimits): Buffer {
  try {
    return imageFrom(bytes, limits);
  } catch (error) {
    if (!(error instanceof M2fpError && error.code === 'M2FP_NO_IMAGE')) throw error;
    throw new M2fpError('M2FP_NO_IMAGE', `${file} holds no picture, nor one as base64 or data URL`, {
      cause: error,
    });
  }
}

async function readAtMost(file: string | Buffer, most: number, limits: ImageLimits): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop closes the file.
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    length += chunk.length;
    // The size is no promise: files grow, and a pipe has none.
    if (length > most) checkBytes(length, limits);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
