import type { ListedEngine } from '../../../src/engine/index.ts';
import type { EngineInfo } from '../../../src/engine/types.ts';
import type { ModelManifest } from '../../../src/m2fp/manifest.ts';

export const DIGEST = '0123456789abcdef'.repeat(4);

/** What an engine in good order tells. */
export function engineInfo(
  over: Partial<ListedEngine> & { id?: string; digest?: string } = {},
): EngineInfo & Partial<ListedEngine> {
  const { id = 'me/model', digest = DIGEST, ...rest } = over;
  return {
    state: 'ready',
    manifest: { id, digest } as ModelManifest,
    provider: 'cpu',
    fallback: null,
    loadSeconds: over.state === 'loading' ? null : 1.5,
    waiting: 0,
    maxQueue: 8,
    cache: null,
    running: 0,
    threads: 2,
    processes: [{ pid: process.pid, state: 'ready', restarts: 0, rss: 1e6 }],
    pid: process.pid,
    restarts: 0,
    failure: null,
    retryIn: null,
    disconnected: null,
    ...rest,
  };
}
