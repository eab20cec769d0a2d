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

/** Continues "<file>: ". */
function describeStranger(head: Buffer, size: number): string {
  if (size === 0) return 'is empty (0 bytes): the download or copy failed. Fetch it again.';
  const text = head.toString('utf8');
  if (text.startsWith(LFS_POINTER)) {
    return 'is a Git LFS pointer, not the weights themselves: run "git lfs pull" in its repository.';
  }
  if (/^\s*<(!doctype|html|\?xml|head|body)/i.test(text)) {
    return 'is a web page, not a checkpoint: the download got an error or login page. Fetch the file itself.';
  }
  if (isText(head))
    return 'is a text file, not a checkpoint that torch.save or safetensors wrote. Fetch the file itself.';
  const bytes = head.toString('hex', 0, 4);
  return `begins with the bytes ${bytes}, so it is no checkpoint: neither one that torch.save wrote (a zip archive or a pickle) nor safetensors.`;
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
  throw file.invalid(describeStranger(head, file.size));
}
