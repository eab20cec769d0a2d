/**
 * What ioredis does not guard against in what a server sends. It throws what goes wrong while it hands a reply on where
 * nobody can catch it, which would end the process, and it gathers a reply of any length.
 */
import type { Redis } from 'ioredis';
import dataHandler from 'ioredis/built/DataHandler.js';

/** What is used of ioredis' own reader of replies. */
interface ReplyReader {
  readonly redis: Redis;
  dispatch(handOn: () => void): void;
  /** Ends the connection, fails what waits for an answer, and has it connect anew. */
  returnFatalError(error: Error): void;
}

/** Bytes that came since the last whole reply, by connection. */
const received = new WeakMap<Redis, number>();
const broken = new WeakSet<ReplyReader>();

const reader = dataHandler.default.prototype as unknown as ReplyReader;

reader.dispatch = function dispatch(this: ReplyReader, handOn: () => void): void {
  received.set(this.redis, 0);
  if (broken.has(this)) return;
  try {
    handOn();
  } catch (error) {
    broken.add(this);
    const reason = error instanceof Error ? error.message : String(error);
    this.returnFatalError(new Error(`Protocol error, an answer that fits no question (${reason})`));
  }
};

/**
 * Has `redis` lose its connection where a reply has more bytes than `limit` allows at that moment; the error that is
 * emitted says so.
 */
export function limitReplies(redis: Redis, limit: () => number): void {
  redis.on('connect', () => {
    const { stream } = redis;
    received.set(redis, 0);
    stream.prependListener('data', (chunk: Buffer) => {
      const bytes = (received.get(redis) ?? 0) + chunk.length;
      received.set(redis, bytes);
      if (bytes > limit()) {
        stream.destroy(
          new Error(`it sent an answer of more than ${limit()} bytes, and the connection was closed`),
        );
      }
    });
  });
}
