/** One file for each record, with a head in JSON and a body in bytes: there is all of it, or nothing. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Begins every file: what it is, and the version of what follows. */
const MAGIC = Buffer.from('M2FPJOB1');
/** Before the head: {@link MAGIC}, and its length. */
const PREFIX = MAGIC.length + 4;
/** Bytes that a head may have. */
const MAX_HEAD = 2 ** 20;

/** Of a file that is not as it was written. */
export class DamagedRecord extends Error {}

/** Head and body in one file; `bytes` of the head must be the body's length. */
export interface RecordHead {
  bytes: number;
}

/**
 * Writes a record beside its place and moves it there when the disk has it.
 * @param beside folder on the same disk, for what is not whole yet
 * @param once where there is a record already, it is left as it is
 * @returns false where there was one
 * @throws file system errors; then there is nothing
 */
export async function writeRecord(
  file: string,
  head: RecordHead,
  body: Buffer,
  { beside, once = false }: { beside: string; once?: boolean },
): Promise<boolean> {
  const text = Buffer.from(JSON.stringify(head));
  if (text.length > MAX_HEAD) throw new Error(`the head of a record has ${text.length} bytes`);
  const prefix = Buffer.alloc(PREFIX);
  MAGIC.copy(prefix);
  prefix.writeUInt32LE(text.length, MAGIC.length);
  const partial = join(beside, `${basename(file)}.${randomUUID()}`);
  try {
    const handle = await open(partial, 'wx', 0o600);
    try {
      await handle.writeFile(Buffer.concat([prefix, text]));
      await handle.writeFile(body);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (!(await moveTo(partial, file, once))) return false;
    await syncFolder(dirname(file));
    return true;
  } finally {
    await rm(partial, { force: true }).catch(() => {});
  }
}

/** Codes of file systems that have no second names for files. */
const WITHOUT_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

async function moveTo(partial: string, file: string, once: boolean): Promise<boolean> {
  if (!once) {
    await rename(partial, file);
    return true;
  }
  try {
    // Unlike a move, it never takes the place of another.
    await link(partial, file);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (!WITHOUT_LINKS.includes(code)) throw error;
    if (await exists(file)) return false;
    await rename(partial, file);
    return true;
  }
}

/** Has the disk keep the names in a folder. Windows does so by itself, and opens no folders. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function exists(file: string): Promise<boolean> {
  return (await sizeOf(file)) !== undefined;
}

/** Undefined where there is no such file. */
export async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** @returns undefined where there is no such record. @throws {DamagedRecord} and file system errors */
export async function readHead<Head extends RecordHead>(file: string): Promise<Head | undefined> {
  return (await read<Head>(file, false))?.head;
}

/** @returns undefined where there is no such record. @throws {DamagedRecord} and file system errors */
export async function readRecord<Head extends RecordHead>(
  file: string,
): Promise<{ head: Head; body: Buffer } | undefined> {
  return read<Head>(file, true);
}

async function read<Head extends RecordHead>(
  file: string,
  withBody: boolean,
): Promise<{ head: Head; body: Buffer } | undefined> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const piece = async (at: number, length: number): Promise<Buffer> => {
      if (length < 0 || at + length > size) throw new DamagedRecord(`${file} is cut off.`);
      const buffer = Buffer.alloc(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, at + filled);
        if (bytesRead === 0) throw new DamagedRecord(`${file} is cut off.`);
        filled += bytesRead;
      }
      return buffer;
    };
    const prefix = await piece(0, PREFIX);
    const length = prefix.readUInt32LE(MAGIC.length);
    if (!prefix.subarray(0, MAGIC.length).equals(MAGIC) || length > MAX_HEAD) {
      throw new DamagedRecord(`${file} is no record of a job.`);
    }
    const head = parseHead<Head>(await piece(PREFIX, length), file);
    if (PREFIX + length + head.bytes !== size) throw new DamagedRecord(`${file} is cut off.`);
    return { head, body: withBody ? await piece(PREFIX + length, head.bytes) : Buffer.alloc(0) };
  } finally {
    await handle.close();
  }
}

function parseHead<Head extends RecordHead>(text: Buffer, file: string): Head {
  try {
    const head = JSON.parse(text.toString('utf8')) as Head;
    if (Number.isSafeInteger(head.bytes)) return head;
  } catch {
    // Said below.
  }
  throw new DamagedRecord(`${file} is no record of a job.`);
}

/** The names in a folder, sorted; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Makes a folder that only its owner may look into. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}
