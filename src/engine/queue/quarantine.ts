/**
 * Pictures that a process ended at. One that ended two is not given to a third for a while, whatever bytes hang behind
 * it; where it was for memory, neither is another one that takes as much.
 */
import { createHash } from 'node:crypto';
import { type Clock, systemClock } from '../../clock.ts';
import { M2fpError } from '../../errors.ts';
import { type Looks, looksOf } from '../../image/formats/looks.ts';
import type { NetworkInput } from '../../image/types.ts';
import type { ParseOptions } from '../../parsing/types.ts';

/** What the child was given. */
export interface Suspect {
  image: Buffer | NetworkInput;
  /** They are part of what is suspected: the same picture may pass at another size. */
  options: ParseOptions;
}

const MAX_SUSPECTS = 100;
const ENOUGH = 2;
/** Milliseconds after which it gets one more chance: it may have been chance, or more memory may be free. */
const TERM = 600_000;

interface Record {
  /** Bytes of the picture without what hangs behind it: only one of the same size is worth a digest. */
  bytes: number;
  crashes: number;
  /** When the last one was, by the clock. */
  at: number;
}

/** Costs nothing while no process crashes, and then a look at the header, and a digest for pictures of a suspect's size. */
export class Quarantine {
  readonly #clock: Clock;
  /** Pictures by digest, and kinds of pictures in words; the one suspected last at the end. */
  readonly #records = new Map<string, Record>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /**
   * A process crashed, or had to be killed, while it worked on this.
   * @param forMemory whether it took too much memory, as others of its kind would
   */
  blame(suspect: Suspect, forMemory = false): void {
    const looks = looksOf(suspect.image);
    this.#note(digestOf(suspect, looks), looks.bytes.length);
    if (forMemory && looks.kind !== null) this.#note(kindOf(suspect, looks), -1);
    while (this.#records.size > MAX_SUSPECTS) {
      const [oldest] = this.#records.keys();
      this.#records.delete(oldest!);
    }
  }

  /** It has been parsed: the crash was none of its doing, nor of its kind's. */
  clear(suspect: Suspect): void {
    if (this.#records.size === 0) return;
    const looks = looksOf(suspect.image);
    this.#records.delete(kindOf(suspect, looks));
    if (this.#mayKnow(looks)) this.#records.delete(digestOf(suspect, looks));
  }

  /** Throws M2FP_BAD_IMAGE where two processes ended at this, or at others of its kind for want of memory. */
  check(suspect: Suspect): void {
    if (this.#records.size === 0) return;
    const looks = looksOf(suspect.image);
    const again = 'is not tried again for ten minutes, or until the model is loaded anew';
    if (this.#mayKnow(looks) && this.#isGuilty(digestOf(suspect, looks))) {
      throw new M2fpError(
        'M2FP_BAD_IMAGE',
        `This very picture has crashed the engine twice and ${again}: use another picture or a smaller size.`,
      );
    }
    if (this.#isGuilty(kindOf(suspect, looks))) {
      throw new M2fpError(
        'M2FP_BAD_IMAGE',
        `Pictures like this one (${looks.kind}) have twice taken more memory than the engine may have; their kind ${again}: ` +
          'allow more with the option maxMemory, or send a smaller picture.',
      );
    }
  }

  forget(): void {
    this.#records.clear();
  }

  #note(key: string, bytes: number): void {
    const crashes = (this.#records.get(key)?.crashes ?? 0) + 1;
    this.#records.delete(key);
    this.#records.set(key, { bytes, crashes, at: this.#clock.now() });
  }

  /** After its term it has one crash left, so that the next one is enough. */
  #isGuilty(key: string): boolean {
    const record = this.#records.get(key);
    return record !== undefined && record.crashes >= ENOUGH && this.#clock.now() - record.at < TERM;
  }

  #mayKnow({ bytes: { length } }: Looks): boolean {
    return [...this.#records.values()].some(({ bytes }) => bytes === length);
  }
}

function kindOf({ options }: Suspect, { kind }: Looks): string {
  return `${kind} ${JSON.stringify(options)}`;
}

function digestOf({ options }: Suspect, { bytes }: Looks): string {
  return createHash('sha256').update(JSON.stringify(options)).update(bytes).digest('hex');
}
