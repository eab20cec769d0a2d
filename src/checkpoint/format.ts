/** Tells from a file's first bytes what it is, and for those that are no checkpoint what went wrong. */
import type { CheckpointForm } from './container.ts';
import type { CheckpointFile } from './file.ts';

const HEAD_BYTES = 512;

const ZIP_SIGNATURES = new Set(['PK\x03\x04', 'PK\x05\x06']);

/** The first opcode of a pickle of protocol 2 or later. */
const PROTO = 0x80;

const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/**
 * A safetensors file: the length of a JSON header as uint64, then that header. A text with a brace in this
 * place gives a length beyond all files.
 */
function isSafetensors(head: Buffer): boolean {
  return head.length > 8 && head.readBigUInt64LE() < 2n ** 48n && head[8] === 0x7b;
}

/** True for printable ASCII, UTF-8 and the usual blanks: no control characters. */
function isText(head: Buffer): boolean {
  // oxlint-disable-next-line no-control-regex
  return !/[\x00-\x08\x0e-\x1f\ufffd]/.test(new TextDecoder().decode(head, { stream: true }));
}

const ARCHIVE_NAME = /\.(zip|tar|tgz|tbz2?|txz|gz|bz2|xz|zst|rar|7z)$/i;

/** True for a file's name that only an archive has; checkpoints are zip archives inside and have other names. */
export function isArchiveName(name: string): boolean {
  return ARCHIVE_NAME.test(name);
}

/** One of several files that a checkpoint was split into, or the list of them. */
export function isShardName(name: string): boolean {
  return /\.index\.json$|-\d{5}-of-\d{5}\.(bin|safetensors|pth?)$/i.test(name);
}

/** What to do about a checkpoint in several files. */
export const JOIN_SHARDS =
  'a checkpoint that was split into several files, which is not read: unpack it first into one, in Python with ' +
  'torch.save({name: tensor for part in parts for name, tensor in torch.load(part).items()}, "pytorch_model.pt").';

/** Archives by their first bytes; that of tar lies in its first header. */
const ARCHIVES: readonly [what: string, at: number, hex: string][] = [
  ['gzip', 0, '1f8b'],
  ['bzip2', 0, '425a68'],
  ['xz', 0, 'fd377a585a00'],
  ['Zstandard', 0, '28b52ffd'],
  ['RAR', 0, '526172211a07'],
  ['7-Zip', 0, '377abcaf271c'],
  ['tar', 257, '7573746172'],
];

function archiveKind(head: Buffer): string | undefined {
  return ARCHIVES.find(([, at, hex]) => head.toString('hex', at, at + hex.length / 2) === hex)?.[0];
}

/** Continues "<file>: ". */
function describeStranger(head: Buffer, { size, name }: CheckpointFile): string {
  if (isShardName(name)) return `is ${name.endsWith('.json') ? 'the list' : 'a part'} of ${JOIN_SHARDS}`;
  if (size === 0) return 'is empty (0 bytes): the download or copy failed. Fetch it again.';
  const archive = archiveKind(head);
  if (archive !== undefined) {
    return `is a ${archive} archive, not the checkpoint itself: unpack it first, and give the file pytorch_model.pt inside.`;
  }
  const text = head.toString('utf8');
  if (text.startsWith(LFS_POINTER)) {
    return 'is a Git LFS pointer, not the weights themselves: run "git lfs pull" in its repository.';
  }
  if (/^\s*<(!doctype|html|\?xml|head|body)/i.test(text)) {
    return 'is a web page, not a checkpoint: the download got an error or login page. Fetch the file itself.';
  }
  if (isText(head))
    return 'is a text file, not a checkpoint that torch.save or safetensors wrote. Fetch the file itself.';
  // Its first bytes are not repeated: a link may lead to any file.
  return 'does not begin like a checkpoint: neither like one that torch.save wrote (a zip archive or a pickle) nor like safetensors.';
}

/**
 * The form of a checkpoint file.
 * @throws M2FP_CHECKPOINT_INVALID where it is none, with what it looks like instead
 */
export async function detectForm(file: CheckpointFile): Promise<CheckpointForm> {
  const head = await file.read(0, Math.min(HEAD_BYTES, file.size));
  if (ZIP_SIGNATURES.has(head.toString('latin1', 0, 4))) return 'zip';
  if (isSafetensors(head)) return 'safetensors';
  if (head[0] === PROTO) return 'legacy';
  throw file.invalid(describeStranger(head, file));
}
