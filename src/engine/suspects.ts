/** Pictures that a process ended at. One that ended two is not given to a third. */
import { createHash } from 'node:crypto';
import { M2fpError } from '../errors.ts';
import type { NetworkInput } from '../image/types.ts';
import type { ParseOptions } from './types.ts';

/** What the child was given. */
export interface Suspect {
  image: Buffer | NetworkInput;
  /** They are part of what is suspected: the same picture may pass at another size. */
  options: ParseOptions;
}

const MAX_SUSPECTS = 100;
const ENOUGH = 2;

interface Record {
  /** Bytes of the picture: only one of the same size is worth a digest. */
  bytes: number;
  crashes: number;
}

/** Costs nothing while no process crashes, and then a digest for pictures of the very size of a suspect. */
export class Suspects {
  /** By digest, the one suspected last at the end. */
  readonly #records = new Map<string, Record>();

  /** A process crashed, or had to be killed for its memory, while it worked on this. */
  blame(suspect: Suspect): void {
    const digest = digestOf(suspect);
    const crashes = (this.#records.get(digest)?.crashes ?? 0) + 1;
    this.#records.delete(digest);
    this.#records.set(digest, { bytes: bytesOf(suspect).length, crashes });
    if (this.#records.size > MAX_SUSPECTS) {
      const [oldest] = this.#records.keys();
      this.#records.delete(oldest!);
    }
  }

  /** It has been parsed: the crash was none of its doing. */
  clear(suspect: Suspect): void {
    if (this.#mayKnow(suspect)) this.#records.delete(digestOf(suspect));
  }

  /** Throws M2FP_BAD_IMAGE where two processes ended at this, one after the other. */
  check(suspect: Suspect): void {
    if (!this.#mayKnow(suspect)) return;
    const crashes = this.#records.get(digestOf(suspect))?.crashes ?? 0;
    if (crashes < ENOUGH) return;
    throw new M2fpError(
      'M2FP_BAD_IMAGE',
      'This very picture has crashed the engine twice and is not tried again until the model is loaded anew: use another picture or a smaller size.',
    );
  }

  forget(): void {
    this.#records.clear();
  }

  #mayKnow(suspect: Suspect): boolean {
    const { length } = bytesOf(suspect);
    return [...this.#records.values()].some(({ bytes }) => bytes === length);
  }
}

function bytesOf({ image }: Suspect): Uint8Array {
  return Buffer.isBuffer(image) ? image : image.data;
}

function digestOf(suspect: Suspect): string {
  return createHash('sha256').update(JSON.stringify(suspect.options)).update(bytesOf(suspect)).digest('hex');
}
