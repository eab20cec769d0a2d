/** Workers on other machines that are none, put behind the config node. */
import { services } from '../../../nodes/common/services.ts';
import type { WorkerAddress, WorkerFacts } from '../../../src/engine/remote/client/transport.ts';
import type { RemoteEngineOptions } from '../../../src/engine/remote/redis/settings.ts';
import { M2fpError } from '../../../src/errors.ts';
import { type FakeEngine, MANIFEST } from './fake-engine.ts';

export const WORKERS: WorkerFacts[] = ['hall-a', 'hall-b'].map((host, index) => ({
  id: `worker-${index}`,
  host,
  pid: process.pid,
  version: '0.1.0',
  manifest: MANIFEST,
  provider: 'cpu',
  fallback: null,
  threads: 4,
  slots: index + 1,
  loadSeconds: 1.5,
  rss: 5e8,
}));

/** What the test says in the workers' place. */
export class FakeWorkers {
  readonly acquired: RemoteEngineOptions[] = [];
  readonly described: WorkerAddress[] = [];
  /** Why nobody answers; undefined where two do. */
  failure: Error | undefined = undefined;
  /** Resolves when an answer may be given. */
  answer: Promise<void> = Promise.resolve();

  /** Nobody is there. */
  leave(): void {
    this.failure = new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'No worker serves the queue.');
  }
}

/** Puts workers, with `engine` as their engine, behind all config nodes until `restoreEngines`. */
export function fakeWorkers(engine: FakeEngine): FakeWorkers {
  const workers = new FakeWorkers();
  const answered = async (): Promise<void> => {
    await workers.answer;
    if (workers.failure) throw workers.failure;
  };
  engine.hosts = WORKERS.map(({ host }) => host);
  engine.set('ready');
  services.acquireRemote = async (options) => {
    workers.acquired.push(options);
    await answered();
    return { engine, release: () => void engine.releases++ };
  };
  services.describeRemote = async (address) => {
    workers.described.push(address);
    await answered();
    return { manifest: MANIFEST, workers: WORKERS };
  };
  return workers;
}
