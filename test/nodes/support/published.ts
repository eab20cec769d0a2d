/** A published model on a server of the test's own, and an empty store to pull it into. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CHECKPOINT, type Misbehaviour, MODEL_ID } from '../../store/support/hub.ts';
import { type Bench, bench } from '../../store/support/pulling.ts';
import { nodeConfig } from './flows.ts';
import { type NodeConfig, useSettings } from './red.ts';

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
