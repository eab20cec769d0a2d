/** An infer node with its model, before an engine without a process. */
import sharp from 'sharp';
import { type FakeEngine, fakeEngines, restoreEngines } from './fake-engine.ts';
import { nodeConfig } from './flows.ts';
import { type Events, type NodeConfig, startFlow, stopFlow } from './red.ts';

export interface InferBench {
  readonly engine: FakeEngine;
  /** 8 x 4 pixels, as PNG. */
  readonly image: Buffer;
  /** The config node "model". */
  model(properties?: object): NodeConfig;
  /** The node under test. */
  infer(properties?: object): NodeConfig;
  /** Starts a flow of the two. */
  start(properties?: object): Promise<Events>;
}

/** A new engine for each test of a `describe`, and no flow left after it. */
export function inferNode(): InferBench {
  let engine: FakeEngine;
  let image: Buffer;

  const model = (properties = {}) => nodeConfig('m2fp-model', 'model', properties);
  const infer = (properties = {}) => nodeConfig('m2fp-infer', 'node', { model: 'model', ...properties });

  before(async () => {
    image = await sharp({ create: { width: 8, height: 4, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
  });
  beforeEach(() => {
    ({ engine } = fakeEngines());
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });
  return {
    get engine() {
      return engine;
    },
    get image() {
      return image;
    },
    model,
    infer,
    start: (properties = {}) => startFlow([model(), infer(properties)]),
  };
}
