/** The body of an HTTP request in memory, never more of it than is allowed. */
import type { IncomingMessage } from 'node:http';
import { type Clock, systemClock } from '../../clock.ts';
import { M2fpError } from '../../errors.ts';
import { Pace } from './pace.ts';
import { PerTurn } from './per-turn.ts';

const MEBIBYTE = 1024 * 1024;

/** Of all bodies that are being read at the same time, however slowly they come, as many times the largest one. */
const ALL_TOGETHER = 8;

const SMALLEST = 64 * 1024;

/** So few times is a body copied that one that fills its memory costs a third of its bytes, and whoever stalls holds four times what came. */
const GROWTH = 4;

/** Of all bodies together in one turn of the event loop: what is there is read at once, and many clients may have sent much. */
const perTurn = new PerTurn(4 * MEBIBYTE);

/** Bodies that were asked for, by whomever: a stream gives its bytes once. */
const bodies = new WeakMap<IncomingMessage, Promise<Buffer>>();

/** Whether the body is read already, or still can be. */
export function isReadable(request: IncomingMessage): boolean {
  return bodies.has(request) || !request.readableEnded;
}

/** Reads bodies, and bounds what they take together. */
export class BodyReader {
  readonly #limit: number;
  readonly #clock: Clock;
  /** Bytes of all bodies that are being read. */
  #held = 0;

  /** @param limit bytes of one body */
  constructor(limit: number, clock: Clock = systemClock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /**
   * The whole body; a request that is read twice gives the same.
   * @throws {M2fpError} `M2FP_IMAGE_TOO_LARGE` beyond the limit, before it has come where its length is told;
   *   `M2FP_BUSY` where too many come at once; `M2FP_BODY_TIMEOUT` where it comes too slowly; `M2FP_CANCELLED` where the
   *   client went away
   */
  read(request: IncomingMessage): Promise<Buffer> {
    let body = bodies.get(request);
    if (body === undefined) {
      const isTooLarge = Number(request.headers['content-length']) > this.#limit;
      body = isTooLarge ? Promise.reject(this.#tooLarge()) : this.#collect(request);
      bodies.set(request, body);
    }
    return body;
  }

  /** @throws {M2fpError} `M2FP_IMAGE_TOO_LARGE` for a body that somebody else has read */
  check(bytes: number): void {
    if (bytes > this.#limit) throw this.#tooLarge();
  }

  #tooLarge(): M2fpError {
    return new M2fpError(
      'M2FP_IMAGE_TOO_LARGE',
      `The body of the request is larger than ${this.#limit / MEBIBYTE} MB. Send a smaller picture.`,
    );
  }

  /** In one Buffer that grows: a list of pieces would cost more than the bytes where they are tiny. */
  #collect(request: IncomingMessage): Promise<Buffer> {
    // What was told is not taken before it comes: many who tell of much and send nothing would keep all others out.
    const told = Number(request.headers['content-length'] ?? NaN);
    const isTold = Number.isSafeInteger(told) && told > 0;
    const most = isTold ? Math.min(this.#limit, told) : this.#limit;
    return new Promise((resolve, reject) => {
      let body = Buffer.alloc(0);
      let size = 0;
      let over = false;
      const end = (settle: () => void): void => {
        if (over) return;
        over = true;
        pace.stop();
        this.#held -= body.length;
        settle();
        body = Buffer.alloc(0);
      };
      const pace = new Pace(this.#clock, (error) => end(() => reject(error)));
      const grow = (needed: number): void => {
        const length = Math.min(most, Math.max(needed, GROWTH * body.length, SMALLEST));
        // Where its length is told it is filled to its end; zeros would take as long as the bytes.
        const larger = isTold ? Buffer.allocUnsafeSlow(length) : Buffer.alloc(length);
        body.copy(larger, 0, 0, size);
        this.#held += larger.length - body.length;
        body = larger;
      };
      request.on('data', (chunk: Buffer) => {
        if (over) return;
        pace.came(chunk.length);
        const needed = size + chunk.length;
        if (needed > most) return end(() => reject(this.#tooLarge()));
        if (needed > body.length) {
          if (this.#held > ALL_TOGETHER * this.#limit) return end(() => reject(crowded()));
          grow(needed);
        }
        chunk.copy(body, size);
        size = needed;
        const turn = perTurn.take(chunk.length);
        if (turn === undefined) return;
        request.pause();
        void turn.then(() => request.resume());
      });
      request.on('end', () => end(() => resolve(body.subarray(0, size))));
      const gone = (): void => end(() => reject(cancelled()));
      request.on('error', gone);
      request.on('close', gone);
      if (request.destroyed) gone();
    });
  }
}

function crowded(): M2fpError {
  return new M2fpError(
    'M2FP_BUSY',
    'Too many pictures are being sent at the same time. Try again in a moment.',
  );
}

function cancelled(): M2fpError {
  return new M2fpError('M2FP_CANCELLED', 'The client went away while it was sending.');
}
