/**
 * What ioredis does not guard against in what a server sends. It throws what goes wrong while it hands a reply on where
 * nobody can catch it, which would end the process; it gathers a reply of any length, for as long as it takes; and it
 * gives replies to commands in their order, whichever of them were lost or added on the way.
 */
import type { Redis } from 'ioredis';
import dataHandler from 'ioredis/built/DataHandler.js';

/** What is used of ioredis' own reader of replies. */
interface ReplyReader {
  readonly redis: Redis;
  dispatch(handOn: () => void): void;
  /** The command that a reply is to; null where none waits for one. */
  shiftCommand: (reply: unknown) => object | null;
  /** Ends the connection, fails what waits for an answer, and has it connect anew. */
  returnFatalError(error: Error): void;
}

/** How far a connection has come in what it receives. */
interface Progress {
  /** Whole replies. */
  replies: number;
  /** Since the last of them. */
  bytes: number;
}

/** Bytes that a reply which has begun goes on by, between two looks. */
const LEAST_PROGRESS = 4096;

/** Why a connection is dropped whose replies are given to the wrong commands. */
export const OUT_OF_ORDER = 'it answered something else than it was asked for, and the connection was closed';

const progress = new WeakMap<Redis, Progress>();
const broken = new WeakSet<ReplyReader>();

const reader = dataHandler.default.prototype as unknown as ReplyReader;
const { shiftCommand } = reader;

reader.shiftCommand = function shiftCommandOrFail(this: ReplyReader, reply: unknown): object {
  const command = shiftCommand.call(this, reply);
  // Whatever else was asked on this connection may have got the answer to something else.
  if (command === null) throw new Error('there are more answers than questions');
  return command;
};

reader.dispatch = function dispatch(this: ReplyReader, handOn: () => void): void {
  const { replies = 0 } = progress.get(this.redis) ?? {};
  progress.set(this.redis, { replies: replies + 1, bytes: 0 });
  if (broken.has(this)) return;
  try {
    handOn();
  } catch (error) {
    broken.add(this);
    const reason = error instanceof Error ? error.message : String(error);
    this.returnFatalError(new Error(`Protocol error, an answer that fits no question (${reason})`));
  }
};

/** Has `redis` lose its connection, and make a new one; what waits for an answer is asked again there. */
export function dropConnection(redis: Redis, reason: string): void {
  redis.stream.destroy(new Error(reason));
}

/**
 * Has `redis` lose its connection where a reply has more bytes than `limit` allows at that moment; the error that is
 * emitted says so.
 */
export function limitReplies(redis: Redis, limit: () => number): void {
  redis.on('connect', () => {
    const { stream } = redis;
    progress.set(redis, { replies: 0, bytes: 0 });
    stream.prependListener('data', (chunk: Buffer) => {
      const { replies, bytes: before } = progress.get(redis)!;
      const bytes = before + chunk.length;
      progress.set(redis, { replies, bytes });
      if (bytes > limit()) {
        dropConnection(
          redis,
          `it sent an answer of more than ${limit()} bytes, and the connection was closed`,
        );
      }
    });
  });
}

/**
 * Looks whether the replies of a connection go on, from one call to the next. Where a reply says that it is longer than
 * it is, all that come after it are taken for its end, and nobody gets an answer any more.
 */
export class ReplyWatch {
  readonly #redis: Redis;
  /** What was seen the last time. */
  #stream: Redis['stream'] | null = null;
  #progress: Progress = { replies: 0, bytes: 0 };

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Drops the connection where a reply that had begun the last time, or its first ones, have hardly gone on since. */
  look(): void {
    const redis = this.#redis;
    const { stream, status } = redis;
    const { replies, bytes } = progress.get(redis) ?? { replies: 0, bytes: 0 };
    const same = stream === this.#stream && replies === this.#progress.replies;
    const more = bytes - this.#progress.bytes;
    // Until it is ready, it waits for answers all the time.
    const waits = this.#progress.bytes > 0 || status === 'connect';
    this.#stream = stream;
    this.#progress = { replies, bytes };
    if (same && waits && more < LEAST_PROGRESS) {
      dropConnection(redis, 'Socket timeout: an answer does not come to its end');
    }
  }
}

/**
 * Drops the connection where replies are given to the wrong commands.
 * @param word that nobody else asks for
 */
export async function checkOrder(redis: Redis, word: string): Promise<void> {
  let reply: unknown;
  try {
    reply = await redis.ping(word);
  } catch {
    // The connection is lost, or a server says no.
    return;
  }
  // Where channels are heard, older servers answer with a list.
  if (![reply].flat().includes(word)) {
    dropConnection(redis, OUT_OF_ORDER);
  }
}
