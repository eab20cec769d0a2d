/**
 * The zip form of a checkpoint (torch >= 1.6): `<root>/data.pkl` and one uncompressed entry
 * `<root>/data/<key>` for each storage. The entries' local headers carry no sizes (they are written ahead
 * of the data), so sizes and places come from the central directory.
 */
import { callbackify } from 'node:util';
import { crc32 } from 'node:zlib';
import { RandomAccessReader, fromRandomAccessReaderPromise, type Entry } from 'yauzl';
import { M2fpError } from '../errors.ts';
import { assertIntact } from './checksum.ts';
import type { Container } from './container.ts';
import { DAMAGED, quoted, type CheckpointFile } from './file.ts';
import { MAX_PICKLE_BYTES } from './pickle-machine.ts';
import { unpickle } from './unpickle.ts';

const MAX_ENTRIES = 100_000;

/** Name, extra fields and comment of one entry together; PyTorch's take less than 200 bytes. */
const MAX_ENTRY_TEXT = 4096;

/** The central directory is read in pieces of this size, not in two reads for each entry. */
const READ_AHEAD = 2 ** 16;

const LOCAL_HEADER_SIGNATURE = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;

const REPACKED = 'PyTorch stores its entries as they are: the file was packed anew by another program.';

/** One uncompressed entry. */
interface Member {
  readonly name: string;
  /** Where its local header begins. */
  readonly header: number;
  readonly bytes: number;
  readonly crc32: number;
  /** Where its data have to end: at the next entry or the end of the file. */
  end: number;
}

/** Lets yauzl read through our one file handle, which stays ours to close. */
class ReadAhead extends RandomAccessReader {
  readonly #file: CheckpointFile;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(file: CheckpointFile) {
    super();
    this.#file = file;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    callbackify(async () => {
      const bytes = await this.#bytes(position, length);
      bytes.copy(buffer, offset);
    })(callback);
  }

  async #bytes(position: number, length: number): Promise<Buffer> {
    if (position < this.#start || position + length > this.#start + this.#window.length) {
      const ahead = Math.min(READ_AHEAD, this.#file.size - position);
      this.#window = await this.#file.read(position, Math.max(length, ahead));
      this.#start = position;
    }
    return this.#window.subarray(position - this.#start, position - this.#start + length);
  }
}

/** Why an entry is none of PyTorch's. */
function oddity(file: CheckpointFile, entry: Entry): M2fpError | undefined {
  const name = quoted(entry.fileName);
  if (entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength > MAX_ENTRY_TEXT) {
    // No further one is read.
    throw file.invalid(`the entry ${name} has a header of more than ${MAX_ENTRY_TEXT} bytes. ${DAMAGED}`);
  }
  if (entry.isEncrypted()) return file.invalid(`the entry ${name} is encrypted. ${REPACKED}`);
  if (entry.compressionMethod !== 0) return file.invalid(`the entry ${name} is compressed. ${REPACKED}`);
  return undefined;
}

/** The entries by name, none compressed, none outside of the file, no two sharing bytes. */
async function readDirectory(file: CheckpointFile): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  /** What is wrong with the first entry that is not as PyTorch writes them: it is told where this is a checkpoint. */
  let odd: M2fpError | undefined;
  try {
    const zip = await fromRandomAccessReaderPromise(new ReadAhead(file), file.size, { autoClose: false });
    if (zip.entryCount > MAX_ENTRIES) {
      throw file.invalid(
        `has ${zip.entryCount} entries, more than the ${MAX_ENTRIES} of any checkpoint. ${DAMAGED}`,
      );
    }
    for await (const entry of zip.eachEntry()) {
      odd ??= oddity(file, entry);
      const {
        fileName: name,
        relativeOffsetOfLocalHeader: header,
        compressedSize: bytes,
        crc32: crc,
      } = entry;
      if (members.has(name)) throw file.invalid(`has two entries ${quoted(name)}. ${DAMAGED}`);
      members.set(name, { name, header, bytes, crc32: crc, end: file.size });
    }
  } catch (error) {
    if (error instanceof M2fpError) throw error;
    const reason = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
    throw file.invalid(`is no whole zip archive (${reason}). ${DAMAGED}`, { cause: error });
  }
  // A zip archive around a model's folder is another thing than a checkpoint that another program packed anew.
  if (odd !== undefined) {
    findRoot(file, members);
    throw odd;
  }
  separate(file, [...members.values()]);
  return members;
}

/** Gives each member its end; throws where two overlap or one leaves the file. */
function separate(file: CheckpointFile, members: Member[]): void {
  members.sort((one, other) => one.header - other.header);
  for (const [i, member] of members.entries()) {
    member.end = members[i + 1]?.header ?? file.size;
    assertFits(file, member, member.header + LOCAL_HEADER_BYTES);
  }
}

function assertFits(file: CheckpointFile, { name, bytes, end }: Member, start: number): void {
  if (start + bytes <= end) return;
  const obstacle = end === file.size ? 'the end of the file' : 'the next entry';
  throw file.invalid(`the entry ${quoted(name)} runs past ${obstacle} at byte ${end}. ${DAMAGED}`);
}

/** Where the data of a member begin: behind its local header, whose length only the header itself tells. */
async function dataStart(file: CheckpointFile, member: Member): Promise<number> {
  const header = await file.read(member.header, LOCAL_HEADER_BYTES);
  if (header.readUInt32LE(0) !== LOCAL_HEADER_SIGNATURE) {
    throw file.invalid(`the entry ${quoted(member.name)} is not at byte ${member.header}. ${DAMAGED}`);
  }
  const start = member.header + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  assertFits(file, member, start);
  return start;
}

async function readMember(file: CheckpointFile, member: Member, limit: number): Promise<Buffer> {
  if (member.bytes > limit) {
    throw file.invalid(
      `the entry ${quoted(member.name)} has ${member.bytes} bytes, more than ${limit}. ${DAMAGED}`,
    );
  }
  const data = await file.read(await dataStart(file, member), member.bytes);
  assertIntact(file, member.name, crc32(data), member);
  return data;
}

/** The folder inside of the archive that holds the checkpoint. */
function findRoot(file: CheckpointFile, members: ReadonlyMap<string, Member>): string {
  const roots = [...members.keys()].flatMap((name) => /^([^/]+)\/data\.pkl$/.exec(name)?.[1] ?? []);
  const [root] = roots;
  if (root === undefined || roots.length > 1) {
    throw file.invalid(
      `is a zip archive with ${roots.length} entries <name>/data.pkl where torch.save writes one. ` +
        'If it is an archive of the model folder, unpack it first, and give the file pytorch_model.pt inside.',
    );
  }
  if (members.has(`${root}/constants.pkl`)) {
    throw file.invalid(
      'is a TorchScript module, not a state dict. Save the weights: torch.save(model.state_dict(), file).',
    );
  }
  return root;
}

/** torch >= 2.0 notes the byte order, older ones wrote little-endian unless they ran on a rare machine. */
async function assertLittleEndian(file: CheckpointFile, byteOrder: Member | undefined): Promise<void> {
  if (byteOrder === undefined) return;
  const order = (await readMember(file, byteOrder, 16)).toString('latin1');
  if (order === 'little') return;
  throw file.invalid(
    `has the byte order ${quoted(order)}; only "little" is read. Save the checkpoint again on a little-endian machine.`,
  );
}

/**
 * Opens a checkpoint in zip form: reads the central directory and data.pkl, no storage.
 * @throws M2FP_CHECKPOINT_INVALID
 */
export async function openZip(file: CheckpointFile): Promise<Container> {
  const members = await readDirectory(file);
  const root = findRoot(file, members);
  await assertLittleEndian(file, members.get(`${root}/byteorder`));
  const pickle = await readMember(file, members.get(`${root}/data.pkl`)!, MAX_PICKLE_BYTES);
  const { value } = unpickle(pickle, `${file.name}: data.pkl`);
  return {
    form: 'zip',
    object: value,
    bytesOf: (key) => members.get(`${root}/data/${key}`)?.bytes,
    locate: (key) => dataStart(file, members.get(`${root}/data/${key}`)!),
    checksumOf: (key) => members.get(`${root}/data/${key}`)!,
  };
}
