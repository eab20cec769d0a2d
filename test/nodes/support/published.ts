/** A published model on a server of the test's own, and an empty store to pull it into. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import sharp from 'sharp';
import { services } from '../../../nodes/common/services.ts';
import { convertCheckpoint } from '../../../src/store/convert.ts';
import { pullModel } from '../../../src/store/pull.ts';
import { CHECKPOINT, type Misbehaviour, MODEL_ID } from '../../store/support/hub.ts';
import { type Bench, bench } from '../../store/support/pulling.ts';
import { type FakeEngine, fakeEngines, restoreEngines } from './fake-engine.ts';
import { nodeConfig } from './flows.ts';
import { type Events, type NodeConfig, stopFlow, useSettings } from './red.ts';

/** Milliseconds for a test: less than the time after which a download that stands still is given up. */
export const BEFORE_STALL = 20_000;

/** A download that stands still in its middle. */
export interface HeldDownload {
  /** Resolves when the client has given up. */
  readonly broken: Promise<void>;
  /** Sends the rest. */
  letGo(): void;
}

export interface PublishedBench extends Bench {
  /** The config node "model". */
  model(properties?: object, id?: string): NodeConfig;
  /** The next download of the checkpoint stands still at 37 %. */
  holdDownload(): HeldDownload;
}

export function publishedModel(): PublishedBench {
  const t = bench();
  beforeEach(() => useSettings({ m2fpModelStore: t.root }));
  after(() => useSettings({}));
  return Object.assign(t, {
    model: (properties = {}, id = 'model') =>
      nodeConfig('m2fp-model', id, {
        source: 'modelscope',
        modelId: MODEL_ID,
        baseUrl: t.hub.url,
        threads: 1,
        ...properties,
      }),
    holdDownload: () => {
      const held = new Held();
      t.hub.next(CHECKPOINT, held.answer);
      return held;
    },
  });
}

export interface PublishedNodes extends PublishedBench {
  /** 96 x 64 pixels, as PNG. */
  image: Buffer;
  /** An infer node: the node under test, where no other id is given. */
  infer(properties?: object, id?: string): NodeConfig;
  /** A load node, the node under test. */
  load(properties?: object): NodeConfig;
  /** Where the model lies in the store. */
  modelFolder(): string;
  /** Resolves when the node under test has shown a status like this. */
  text(events: Events, pattern: RegExp): Promise<void>;
}

/** {@link publishedModel} with nodes that use it, and no flow left after a test. */
export function publishedNodes(): PublishedNodes {
  const t: PublishedNodes = Object.assign(publishedModel(), {
    image: Buffer.alloc(0),
    infer: (properties = {}, id = 'node') => nodeConfig('m2fp-infer', id, { model: 'model', ...properties }),
    load: (properties = {}) =>
      nodeConfig('m2fp-load', 'node', { model: 'model', wires: [['out'], ['out2']], ...properties }),
    modelFolder: () => join(t.root, ...MODEL_ID.split('/'), 'master'),
    text: (events: Events, pattern: RegExp) =>
      events.until(() => events.statuses.some((status) => pattern.test(status.text ?? ''))),
  });
  before(async () => {
    t.image = await sharp({ create: { width: 96, height: 64, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });
  return t;
}

/** A new engine without a process for each test of a `describe`, behind models that are pulled in this process. */
export function engineWithoutProcess(): { readonly engine: FakeEngine } {
  let engine: FakeEngine;
  beforeEach(() => {
    const readManifest = services.readManifest.bind(services);
    ({ engine } = fakeEngines());
    services.readManifest = readManifest;
    // In this process, which is quicker.
    services.pull = (options) => pullModel({ ...options, tools: { convert: convertCheckpoint } });
  });
  return {
    get engine() {
      return engine;
    },
  };
}

class Held implements HeldDownload {
  readonly broken: Promise<void>;
  #break = (): void => {};
  #rest: (() => void) | undefined;

  constructor() {
    this.broken = new Promise((resolve) => {
      this.#break = resolve;
    });
  }

  readonly answer: Misbehaviour = (_request: IncomingMessage, response: ServerResponse, bytes: Buffer) => {
    const at = Math.floor(bytes.length * 0.37);
    response.once('close', () => {
      if (!response.writableFinished) this.#break();
    });
    response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, at));
    this.#rest = () => response.end(bytes.subarray(at));
  };

  letGo(): void {
    if (this.#rest === undefined) throw new Error('Nobody downloads');
    this.#rest();
  }
}
