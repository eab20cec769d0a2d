/** Reads small files that somebody else may have put in their place. */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';

/**
 * The text of a regular file (a link to one, too) of at most `limit` bytes. Pipes, devices, sockets and folders are not
 * even opened, and nothing of a file that is too long is kept.
 * @throws Error with what is wrong, which continues "it " and holds nothing of the contents; its `code` is the system's
 *   where the file cannot be opened or read (`ENOENT`)
 */
export async function readBounded(file: string, limit: number): Promise<string> {
  return (await readBoundedBytes(file, limit)).toString('utf8');
}

/** Its bytes. @throws Error as {@link readBounded} */
export async function readBoundedBytes(file: string, limit: number): Promise<Buffer> {
  // Asked before the file is opened: opening a pipe would wait for its other end, and some devices do something.
  if (!(await stat(file)).isFile()) throw new Error('is not a regular file');
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error('is not a regular file');
    if (stats.size > limit)
      throw new Error(`has ${stats.size} bytes, more than the ${limit} of any such file`);
    // The size is no promise: some files grow, and those of /proc say 0.
    const chunks: Buffer[] = [];
    for (let length = 0; ;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.max(stats.size, 4096)));
      if (bytesRead === 0) return Buffer.concat(chunks);
      length += bytesRead;
      if (length > limit) throw new Error(`has more than ${limit} bytes, the most of any such file`);
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

/**
 * A JSON text. Node's own error quotes the text, which may be another file's behind a link: ours does not.
 * @throws Error
 */
export function parseJson(text: string): unknown {
  try {
    // Windows' editors put a byte order mark before JSON.
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    throw new Error('is not valid JSON');
  }
}
