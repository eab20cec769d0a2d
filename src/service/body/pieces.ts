/** The bytes of a body as they come: kept in the pieces that they come in, and copied once, when all of them are there. */

import type { PerTurn } from './per-turn.ts';

/** Bytes: smaller pieces are put together, since each costs some hundred bytes beside its own. */
const SMALL = 4096;
/** Bytes of what they are put together in. */
const BLOCK = 64 * 1024;

export class Pieces {
  readonly #most: number;
  #pieces: Buffer[] = [];
  /** Where small pieces go, and how much of it is filled. */
  #block: Buffer | undefined;
  #filled = 0;
  #size = 0;
  #held = 0;

  /** @param most bytes that will come */
  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes that have come. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of memory that they take. */
  get held(): number {
    return this.#held;
  }

  /** @param piece is not changed by anybody from now on */
  add(piece: Buffer): void {
    // One that is part of something larger would keep all of that.
    if (piece.length < SMALL || piece.length < piece.buffer.byteLength) return this.#copy(piece);
    this.#flush();
    this.#pieces.push(piece);
    this.#size += piece.length;
    this.#held += piece.length;
  }

  /**
   * All of it, in memory that holds nothing else; nothing is left here.
   * @param perTurn how many bytes are copied in one turn of the event loop
   */
  async join(perTurn: PerTurn): Promise<Buffer> {
    this.#flush();
    const [pieces, size] = [this.#pieces, this.#size];
    this.clear();
    const [first] = pieces;
    if (pieces.length === 1 && first!.buffer.byteLength === size) return first!;
    const whole = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (const piece of pieces) {
      at += piece.copy(whole, at);
      const turn = perTurn.take(piece.length);
      if (turn !== undefined) await turn;
    }
    return whole;
  }

  clear(): void {
    this.#pieces = [];
    this.#block = undefined;
    this.#filled = this.#size = this.#held = 0;
  }

  #copy(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      if (this.#block === undefined) {
        this.#block = Buffer.allocUnsafeSlow(Math.min(BLOCK, this.#most - this.#size));
        this.#held += this.#block.length;
      }
      const copied = piece.copy(this.#block, this.#filled, at);
      this.#filled += copied;
      this.#size += copied;
      at += copied;
      if (this.#filled === this.#block.length) this.#flush();
    }
  }

  /** Ends what small pieces were put together to; the rest of the block is for the next ones. */
  #flush(): void {
    if (this.#block === undefined || this.#filled === 0) return;
    if (this.#filled === this.#block.length) {
      this.#pieces.push(this.#block);
      this.#block = undefined;
    } else {
      const filled = Buffer.allocUnsafeSlow(this.#filled);
      this.#block.copy(filled);
      this.#pieces.push(filled);
      this.#held += filled.length;
    }
    this.#filled = 0;
  }
}
