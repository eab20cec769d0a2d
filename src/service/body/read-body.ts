/** The body of an HTTP request in memory, never more of it than is allowed. */
import type { IncomingMessage } from 'node:http';
import { type Clock, systemClock } from '../../clock.ts';
import { M2fpError } from '../../errors.ts';
import { Pace } from './pace.ts';
import { PerTurn } from './per-turn.ts';
import { Pieces } from './pieces.ts';

const MEBIBYTE = 1024 * 1024;

/** Of all bodies that are being read at the same time, however slowly they come, as many times the largest one. */
const ALL_TOGETHER = 8;

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

  #collect(request: IncomingMessage): Promise<Buffer> {
    // What was told is not taken before it comes: many who tell of much and send nothing would keep all others out.
    const told = Number(request.headers['content-length'] ?? NaN);
    const most = Number.isSafeInteger(told) && told > 0 ? Math.min(this.#limit, told) : this.#limit;
    return new Promise((resolve, reject) => {
      const pieces = new Pieces(most);
      let over = false;
      const fail = (error: M2fpError): void => {
        if (over) return;
        over = true;
        pace.stop();
        this.#held -= pieces.held;
        pieces.clear();
        reject(error);
      };
      const pace = new Pace(this.#clock, fail);
      request.on('data', (chunk: Buffer) => {
        if (over) return;
        pace.came(chunk.length);
        if (pieces.size + chunk.length > most) return fail(this.#tooLarge());
        if (this.#held > ALL_TOGETHER * this.#limit) return fail(crowded());
        const before = pieces.held;
        pieces.add(chunk);
        this.#held += pieces.held - before;
        const turn = perTurn.take(chunk.length);
        if (turn === undefined) return;
        request.pause();
        void turn.then(() => request.resume());
      });
      request.on('end', () => {
        if (over) return;
        over = true;
        pace.stop();
        const { held } = pieces;
        resolve(pieces.join(perTurn).finally(() => (this.#held -= held)));
      });
      const gone = (): void => fail(cancelled());
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
