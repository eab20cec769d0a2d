/**
 * Whether the data of a storage are those that were saved. Of the three forms only zip notes a check value (CRC-32), and
 * `torch.load` does not look at it.
 */
import { crc32 } from 'node:zlib';
import { DAMAGED, quoted, type CheckpointFile } from './file.ts';

/** A stretch of the file and what its CRC-32 has to be. */
export interface Checksum {
  /** Bytes from the beginning of the storage on. */
  readonly bytes: number;
  readonly crc32: number;
}

/** What is read of the file only to be checked is read in pieces of so many bytes. */
const PIECE = 2 ** 20;

/**
 * torch.save writes 0 for every entry where it is told not to compute check values (`set_crc32_options(False)`); data
 * whose own is 0 are one in four thousand million.
 */
export function isComputed({ bytes, crc32: expected }: Checksum): boolean {
  return bytes > 0 && expected !== 0;
}

/**
 * @param entry what holds the bytes, for the message
 * @throws M2FP_CHECKPOINT_INVALID where the bytes are not those that were saved
 */
export function assertIntact(file: CheckpointFile, entry: string, found: number, checksum: Checksum): void {
  if (!isComputed(checksum) || found === checksum.crc32) return;
  throw file.invalid(
    `the entry ${quoted(entry)} does not have the check value (CRC-32) that it was saved with. ${DAMAGED}`,
  );
}

/** The CRC-32 of a stretch of the file that nobody needs in memory. */
export async function fileCrc32(file: CheckpointFile, position: number, bytes: number): Promise<number> {
  let found = 0;
  for (let done = 0; done < bytes; done += PIECE) {
    found = crc32(await file.read(position + done, Math.min(PIECE, bytes - done)), found);
  }
  return found;
}
