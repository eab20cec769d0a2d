/** An engine without a process, put behind the config node. */
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { services } from '../../../nodes/common/services.ts';
import type {
  Engine,
  EngineInfo,
  EngineListener,
  EngineOptions,
  EngineState,
  ParseRequest,
} from '../../../src/engine/types.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { ModelManifest } from '../../../src/m2fp/manifest.ts';
import type { Diagnosis } from '../../../src/observe/diagnosis.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { parsingOf } from '../../parsing/scene.ts';

export const MANIFEST = {
  format: 1,
  id: 'fake',
  digest: 'f00d',
  kind: 'multi',
  labels: ['Background', 'Hair', 'Coat', 'Human'],
  humanIndex: 3,
  input: { kind: 'short-side', shortSide: 32, longSide: 64 },
  scoreThreshold: 0.5,
  precision: 'fp32',
  files: { 'model.onnx': { size: 100, sha256: '' }, 'model.onnx.data': { size: 1000, sha256: '' } },
} as ModelManifest;

/** Two persons of 4 x 4 pixels each: hair above, a coat below. */
export function exampleParsing(): Promise<Parsing> {
  return parsingOf({
    labels: MANIFEST.labels,
    width: 8,
    height: 4,
    labelRows: ['11110111', '11110111', '22220222', '22220222'],
    personRows: ['11110222', '11110222', '11110222', '11110222'],
    persons: [
      { score: 0.9, rows: ['####....', '####....', '####....', '####....'] },
      { score: 0.8, rows: ['.....###', '.....###', '.....###', '.....###'] },
    ],
    parts: [
      { index: 1, person: 1, rows: ['####....', '####....', '........', '........'] },
      { index: 2, person: 1, rows: ['........', '........', '####....', '####....'] },
      { index: 1, person: 2, rows: ['.....###', '.....###', '........', '........'] },
      { index: 2, person: 2, rows: ['........', '........', '.....###', '.....###'] },
    ],
  });
}

/** Answers every request with {@link exampleParsing}; while `held`, only when it is let go or aborted. */
export class FakeEngine implements Engine {
  readonly requests: ParseRequest[] = [];
  readonly actions: string[] = [];
  held = false;
  failure: Error | undefined;
  /** What the engine says of its provider once it has loaded. */
  fallback: string | null = null;
  releases = 0;
  /** Machines of its workers; null where it has a process of this machine. */
  hosts: string[] | null = null;
  #state: EngineState = 'idle';
  #waiting = 0;
  readonly #listeners = new Set<EngineListener>();
  #letGo: (() => void)[] = [];
  readonly #events = new EventEmitter();

  get subscribers(): number {
    return this.#listeners.size;
  }

  async load(): Promise<EngineInfo> {
    this.actions.push('load');
    this.set('loading');
    await nextTurn();
    if (this.failure) throw this.failure;
    this.set('ready');
    return this.info();
  }

  async parse(request: ParseRequest): Promise<Parsing> {
    this.requests.push(request);
    this.#events.emit('request');
    if (this.failure) throw this.failure;
    this.set('running', this.requests.length - 1);
    if (this.held) {
      await new Promise<void>((resolve, reject) => {
        this.#letGo.push(resolve);
        request.signal?.addEventListener('abort', () => reject(new M2fpError('M2FP_CANCELLED', 'aborted')));
      });
    }
    const image = Buffer.isBuffer(request.image) ? request.image : request.image.source.image;
    const parsing = { ...(await exampleParsing()), ...(image.length > 0 && { image }) };
    parsing.timing.total = 1234;
    this.set('ready', 0);
    return parsing;
  }

  /** Resolves when so many pictures have come. */
  async requested(count = 1): Promise<void> {
    while (this.requests.length < count) await once(this.#events, 'request');
  }

  /** Ends what is held. */
  letGo(): void {
    this.held = false;
    for (const go of this.#letGo) go();
    this.#letGo = [];
  }

  async unload(): Promise<void> {
    this.actions.push('unload');
    this.set('idle');
  }

  async restart(): Promise<EngineInfo> {
    this.actions.push('restart');
    if (this.failure) throw this.failure;
    this.set('ready');
    return this.info();
  }

  replaceOlder(): void {}

  info(): EngineInfo {
    return {
      state: this.#state,
      manifest: MANIFEST,
      provider: 'cpu',
      fallback: this.fallback,
      loadSeconds: this.#state === 'idle' ? null : 0.5,
      waiting: this.#waiting,
      maxQueue: 32,
      cache: null,
      running: this.#state === 'running' ? 1 : 0,
      threads: 2,
      processes: this.hosts?.map((host) => ({
        host,
        pid: process.pid,
        state: this.#state,
        restarts: 0,
        rss: 5e8,
      })) ?? [{ pid: null, state: this.#state, restarts: 0, rss: null }],
      pid: null,
      restarts: 0,
      failure: null,
      retryIn: null,
      disconnected: null,
    };
  }

  subscribe(listener: EngineListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  set(state: EngineState, waiting = this.#waiting, failure: EngineInfo['failure'] = null): void {
    this.#state = state;
    this.#waiting = waiting;
    for (const listener of this.#listeners) listener({ ...this.info(), failure });
  }
}

const real = { ...services };

/** Puts one engine behind all config nodes until {@link restoreEngines}. */
export function fakeEngines(): { engine: FakeEngine; acquired: EngineOptions[] } {
  const engine = new FakeEngine();
  const acquired: EngineOptions[] = [];
  services.acquire = async (options) => {
    acquired.push(options);
    return { engine, release: () => void engine.releases++ };
  };
  services.readManifest = async () => MANIFEST;
  // The real ones start processes, and read every model.
  services.diagnose = async () => ({ format: 1, state: 'ok', checks: [] }) as unknown as Diagnosis;
  services.int8Speed = async () => ({ ratio: 1.7, provider: 'cpu', threads: 2, instructions: 'AVX2' });
  return { engine, acquired };
}

export function restoreEngines(): void {
  Object.assign(services, real);
}
