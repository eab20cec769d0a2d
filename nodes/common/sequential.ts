/** One message after the other. */
import type { NodeAPI } from 'node-red';
import { raceSignal } from '../../src/async.ts';
import { M2fpError } from '../../src/errors.ts';
import { bufferLimit } from './buffer-limit.ts';
import type { Work } from './message-handler.ts';

/** As many as may wait for an engine. Each brings a picture and its maps: 32 of 12 megapixels are about 1 GB. */
const MAX_WAITING = 32;

/**
 * `work` that begins with a message when it has ended the one before: messages leave in the order in which they
 * came, and only one picture at a time lies decoded in memory. A message that was given up while it waited leaves the
 * line at once, and nothing is kept of one that has ended.
 *
 * @param RED whose setting `nodeMessageBufferMaxLength` says how many may wait, where it is set
 * @throws {M2fpError} `M2FP_BUSY`, from the work that it returns, where as many as may wait already
 */
export function sequentially(RED: Pick<NodeAPI, 'settings'>, work: Work): Work {
  const limit = bufferLimit(RED) ?? MAX_WAITING;
  /** What lets those begin that wait, in the order in which they came. */
  const line = new Set<() => void>();
  let busy = false;

  async function takeTurn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!busy) {
      busy = true;
      return;
    }
    if (line.size >= limit) throw tooMany(limit);
    const { promise, resolve } = Promise.withResolvers<void>();
    line.add(resolve);
    try {
      await raceSignal(promise, signal);
    } catch (error) {
      // Given up in the moment in which its turn came: that passes on.
      if (!line.delete(resolve)) passTurn();
      throw error;
    }
  }

  function passTurn(): void {
    const [begin] = line;
    busy = begin !== undefined;
    if (begin === undefined) return;
    line.delete(begin);
    begin();
  }

  return async (msg, signal) => {
    await takeTurn(signal);
    try {
      return await work(msg, signal);
    } finally {
      passTurn();
    }
  };
}

function tooMany(limit: number): M2fpError {
  return new M2fpError(
    'M2FP_BUSY',
    `The node works on one message at a time, and the limit of ${limit} that wait for it is reached: send fewer, or ` +
      'raise nodeMessageBufferMaxLength in settings.js.',
  );
}
