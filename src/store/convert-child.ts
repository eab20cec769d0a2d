/** The process that `convertInProcess` forks: converts one checkpoint and ends. */
import { constants, setPriority } from 'node:os';
import { serializeError } from '../errors.ts';
import type { ConvertMessage, ConvertRequest } from './convert-process.ts';
import { convertCheckpoint } from './convert.ts';

/** Progress is told in steps of this share: each message wakes the parent. */
const STEP = 0.01;

const orphaned = new AbortController();

/** Resolves when the message is on its way: an exit before that would lose it. */
function send(message: ConvertMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send?.(message, undefined, undefined, () => resolve());
  });
}

async function convert(request: ConvertRequest): Promise<ConvertMessage> {
  let told = 0;
  const onProgress = (share: number) => {
    if (share < 1 && share - told < STEP) return;
    told = share;
    void send({ type: 'progress', share });
  };
  try {
    const conversion = await convertCheckpoint({ ...request, onProgress, signal: orphaned.signal });
    return { type: 'done', conversion };
  } catch (error) {
    return { type: 'error', error: serializeError(error) };
  }
}

async function answer(request: ConvertRequest): Promise<void> {
  await send(await convert(request));
  if (process.connected) process.disconnect();
}

process.title = 'm2fp-convert';
try {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  // A system that does not allow it runs the conversion like everything else.
}
// A terminal's Ctrl+C reaches every process of the group. The parent ends this one, or closes the channel.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => orphaned.abort());
process.once('message', (request: ConvertRequest) => void answer(request));
