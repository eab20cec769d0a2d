/** Positioned reads of a checkpoint file through one handle, with errors that name the file and the place. */
import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { M2fpError } from '../errors.ts';

/** What to do about a file that ends early or contradicts itself. */
export const DAMAGED = 'The file is damaged or incomplete: download or copy it again.';

/** What a reader takes from a file that asks for more than a state dict needs. */
export const TAMPERED =
  'The file is not a PyTorch state dict or has been tampered with; nothing was run. ' +
  'If it is yours, save only the weights: torch.save(model.state_dict(), file).';

/** A piece of the file's own text, fit for a message: quoted, escaped, short. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

export class CheckpointFile {
  readonly path: string;
  /** The file's name without its folders: how messages call it. */
  readonly name: string;
  readonly size: number;
  readonly #handle: FileHandle;

  private constructor(path: string, size: number, handle: FileHandle) {
    this.path = path;
    this.name = basename(path);
    this.size = size;
    this.#handle = handle;
  }

  /**
   * Opens `path` for reading.
   * @throws M2FP_MODEL_NOT_FOUND where there is no such file, M2FP_CHECKPOINT_INVALID where it is no file
   *   or cannot be opened.
   */
  static async open(path: string): Promise<CheckpointFile> {
    try {
      // Asked before the file is opened: opening a pipe would wait for its other end.
      const stats = await stat(path);
      if (!stats.isFile()) {
        const kind = stats.isDirectory()
          ? 'a folder: give the file inside, pytorch_model.pt'
          : 'not a regular file';
        throw new M2fpError('M2FP_CHECKPOINT_INVALID', `${basename(path)} is ${kind}`);
      }
      return new CheckpointFile(path, stats.size, await open(path, 'r'));
    } catch (error) {
      if (!(error instanceof Error) || error instanceof M2fpError) throw error;
      if ('code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
        throw new M2fpError('M2FP_MODEL_NOT_FOUND', `There is no checkpoint file at ${path}`, {
          cause: error,
        });
      }
      throw cannot('opened', path, error);
    }
  }

  /** The error that this file is no checkpoint that can be read; `reason` continues the sentence. */
  invalid(reason: string, options?: ErrorOptions): M2fpError {
    return new M2fpError('M2FP_CHECKPOINT_INVALID', `${this.name}: ${reason}`, options);
  }

  /** The `length` bytes from byte `position` on, all of them or an error. */
  async read(position: number, length: number): Promise<Buffer> {
    this.#assertInside(position, length);
    const bytes = Buffer.allocUnsafe(length);
    await this.readInto(bytes, position);
    return bytes;
  }

  /** Fills `target` with the bytes from byte `position` on, all of it or an error. */
  async readInto(target: Uint8Array, position: number): Promise<void> {
    this.#assertInside(position, target.byteLength);
    for (let done = 0; done < target.byteLength;) {
      const { bytesRead } = await this.#handle
        .read(target, done, target.byteLength - done, position + done)
        .catch((error: Error) => {
          throw cannot('read', this.path, error);
        });
      if (bytesRead === 0)
        throw this.invalid(`ended at byte ${position + done} while it was read. ${DAMAGED}`);
      done += bytesRead;
    }
  }

  /** Releases the handle; later reads fail. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Checked before any memory is set aside, so that a lying length costs nothing. */
  #assertInside(position: number, length: number): void {
    if (position >= 0 && position + length <= this.size) return;
    throw this.invalid(
      `has ${this.size} bytes, too few to hold ${length} bytes at byte ${position}. ${DAMAGED}`,
    );
  }
}

function cannot(verb: 'opened' | 'read', path: string, cause: Error): M2fpError {
  return new M2fpError('M2FP_CHECKPOINT_INVALID', `${basename(path)} cannot be ${verb}: ${cause.message}`, {
    cause,
  });
}
