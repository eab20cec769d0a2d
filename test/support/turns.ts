/** How long others wait for their turn. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds that this thread has worked. On a busy machine more time goes by, which is nobody's fault here. */
function worked(): number {
  // Newer than the types.
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage };
  if (threadCpuUsage === undefined) return performance.now();
  const { user, system } = threadCpuUsage();
  return (user + system) / 1000;
}

/** What `work` resolves to, and the longest that this thread worked in one go meanwhile, milliseconds. */
export async function turnsOf<T>(work: () => Promise<T>): Promise<{ result: T; longest: number }> {
  let longest = 0;
  const ended = new AbortController();
  const watch = (async () => {
    let last = worked();
    while (!ended.signal.aborted) {
      await nextTurn();
      const now = worked();
      longest = Math.max(longest, now - last);
      last = now;
    }
  })();
  try {
    return { result: await work(), longest };
  } finally {
    ended.abort();
    await watch;
  }
}
