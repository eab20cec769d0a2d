/** A clock that the test moves, engines on the fake child, and the check that nothing is left behind. */
import { join } from 'node:path';
import assert from 'node:assert/strict';
import type { Clock, Timer } from '../../../src/clock.ts';
import { LocalEngine } from '../../../src/engine/local/local-engine.ts';
import { completeEngineOptions } from '../../../src/engine/options.ts';
import type { Machine } from '../../../src/engine/local/sizing.ts';
import type { RestartPolicy } from '../../../src/engine/local/restart-policy.ts';
import type { Engine, EngineInfo, EngineOptions, QueueOptions } from '../../../src/engine/types.ts';
import type { ModelManifest } from '../../../src/m2fp/manifest.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { childrenOf, isAlive } from '../../support/processes.ts';

export const FAKE_CHILD = join(import.meta.dirname, '..', 'fixtures', 'fake-child.ts');

interface FakeTimer {
  due: number;
  ms: number;
  callback: () => void;
}

export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<FakeTimer>();
  readonly #watchers = new Set<() => void>();

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): Timer {
    const timer = { due: this.#now + ms, ms, callback };
    this.#timers.add(timer);
    for (const watcher of this.#watchers) watcher();
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** How long the timers that run were set for, milliseconds. */
  pending(): number[] {
    return [...this.#timers].map(({ ms }) => ms).toSorted((a, b) => a - b);
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ due }) => due <= end).toSorted((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.due;
      next.callback();
    }
    this.#now = end;
  }

  /** Resolves when a timer of `ms` runs. */
  armed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.pending().includes(ms)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }
}

export const MANIFEST: ModelManifest = {
  format: 1,
  id: 'test/model',
  digest: 'd1'.repeat(32),
  kind: 'multi',
  labels: ['Background', 'Face', 'Human'],
  humanIndex: 2,
  input: { kind: 'short-side', shortSide: 64, longSide: 128 },
  scoreThreshold: 0.8,
  precision: 'fp32',
  hyperParameters: {
    backbone: {
      blocks: [1, 1, 1, 1],
      stemChannels: 8,
      res2Channels: 8,
      bottleneckChannels: 8,
      groups: 1,
      strideIn1x1: false,
      res4Dilation: 1,
      res5Dilation: 1,
      res5MultiGrid: [1, 1, 1],
      norm: 'BN',
    },
    pixelDecoder: { convDim: 8, maskDim: 8, layers: 1, feedForward: 8, heads: 1, points: 1, levels: 3 },
    decoder: {
      hiddenDim: 8,
      queries: 4,
      layers: 1,
      feedForward: 8,
      heads: 1,
      classes: 3,
      preNorm: false,
      inputProjection: false,
    },
  },
  files: {
    // Of a blank and of nothing, see support/model-folder.ts.
    'model.onnx': { size: 1, sha256: '36a9e7f1c95b82ffb99743e0c5c4ce95d83c9a430aac59f84ef3cbfab6145068' },
    'model.onnx.data': {
      size: 0,
      sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    },
  },
  source: { file: 'pytorch_model.pt', size: 1, sha256: '', configuration: true },
  converter: { name: 'test', version: '0', opset: 20 },
};

/** An engine on the fake child; `atLoad` is what the child does at load. */
export function fakeEngine(
  options: Partial<EngineOptions> & {
    atLoad?: string;
    policy?: Partial<RestartPolicy>;
    clock?: Clock;
    machine?: Machine;
  } = {},
): LocalEngine {
  const { atLoad = 'fine', policy, clock, machine, ...rest } = options;
  // Without a limit of memory there is no timer for it, either.
  const complete = completeEngineOptions({ model: join('/fake', atLoad), maxMemory: 0, ...rest });
  return new LocalEngine(MANIFEST, complete, { entry: FAKE_CHILD, clock, policy, machine });
}

/** What the fake child reports in its answer. */
export function facts({ labels }: Parsing): { pid: number; count: number; text: string } {
  return { pid: Number(labels[0]), count: Number(labels[1]), text: String(labels[2]) };
}

/** Rejects with this code, and a message that matches. */
export function fails(promise: Promise<unknown>, code: string, message = /^/): Promise<void> {
  return assert.rejects(promise, (error: Error & { code?: string }) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

let serial = 0;

/** Asks the fake child to do `text`. */
export function ask(
  engine: Engine,
  text: string,
  signal?: AbortSignal,
  queue?: QueueOptions,
): Promise<Parsing> {
  // Each is another picture: equal ones in flight would be parsed only once.
  return engine.parse({
    image: Buffer.from(`${text}\0${serial++}`),
    ...(signal && { signal }),
    ...(queue && { queue }),
  });
}

/**
 * Asks it with the very picture of an earlier call of this. Rising priorities have equal pictures parsed one by one
 * that are in flight at the same time.
 */
export function askAgain(engine: Engine, text: string, priority = 0): Promise<Parsing> {
  return engine.parse({ image: Buffer.from(text), queue: { priority } });
}

/** Lets the fake child of the process `pid` go on with what it holds. */
export function letGo(pid: number | null): void {
  process.kill(pid!, 'SIGUSR2');
}

/** Resolves when the engine's state satisfies `condition`. */
export function until(engine: Engine, condition: (info: EngineInfo) => boolean): Promise<EngineInfo> {
  return new Promise((resolve) => {
    const first = engine.info();
    if (condition(first)) return resolve(first);
    const end = engine.subscribe((info) => {
      if (!condition(info)) return;
      end();
      resolve(info);
    });
  });
}

/** Resolves when the process is gone. Only its parent is told of that, so this looks again and again. */
export async function gone(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (isAlive(pid)) {
    if (performance.now() > deadline) throw new Error(`The process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Our children without the `ps` that lists them, which has ended by then. */
function children(): number[] {
  return childrenOf(process.pid).filter(isAlive);
}

/** Fails a test that leaves a child process, or a rejection that nobody handles (mocha lets those pass). */
export function leavesNothingBehind(): void {
  let before: number[] = [];
  let unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  beforeEach(() => {
    before = children();
    unhandled = [];
    process.on('unhandledRejection', note);
  });
  afterEach(async () => {
    // Node tells of rejections when the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled, [], 'a rejection is unhandled');
    const left = children().filter((pid) => !before.includes(pid));
    assert.deepEqual(left, [], 'a child process is left');
  });
}
