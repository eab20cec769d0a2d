/** Nodes as they are dragged from the palette: no model is chosen, and they use the bundled one. */
import assert from 'node:assert/strict';
import type { ModelFacts } from '../../nodes/common/model-facts.ts';
import type { EngineOptions } from '../../src/engine/types.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { twoPeople as image } from '../support/images.ts';
import { type FakeEngine, fakeEngines, restoreEngines } from './support/fake-engine.ts';
import { nodeConfig, type NodeType, registered } from './support/flows.ts';
import { deploy, send, startFlow, stopFlow } from './support/red.ts';

const WITH_MODEL = ['m2fp-infer', 'm2fp-load', 'm2fp-preprocess'] as const satisfies NodeType[];

describe('nodes without a model', () => {
  let engine: FakeEngine;
  let acquired: EngineOptions[];
  beforeEach(() => {
    ({ engine, acquired } = fakeEngines());
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  for (const type of WITH_MODEL) {
    it(`of ${type} are valid in the editor as they come from the palette`, () => {
      const { model } = registered(type).defaults;
      assert.deepEqual([model!.value, model!.type, model!.required], ['', 'm2fp-model', false], type);
    });
  }

  for (const [name, change] of [
    ['a blank one', {}],
    ['no such field', { model: undefined }],
  ] as const) {
    it(`parse with the bundled one: ${name}`, async () => {
      const events = await startFlow([nodeConfig('m2fp-infer', 'node', change)]);
      send({ payload: image });
      await events.ended();
      assert.deepEqual(events.caught, []);
      assert.equal((events.sent[0] as unknown as { parsing: Parsing }).parsing.persons.length, 2);
      assert.deepEqual(
        acquired.map(({ model }) => model),
        [bundledModelFolder()],
      );
    });
  }

  for (const type of ['m2fp-load', 'm2fp-preprocess'] as const) {
    it(`${type} works with it, too`, async () => {
      const events = await startFlow([nodeConfig(type, 'node')]);
      send({ payload: type === 'm2fp-load' ? '' : image });
      await events.ended();
      assert.deepEqual(events.caught, [], type);
      if (type === 'm2fp-load') {
        const { source, folder } = events.sent[0]!.payload as ModelFacts;
        assert.deepEqual([source, folder], ['bundled', bundledModelFolder()]);
      }
    });
  }

  it('share one engine, and give it back when the last one has gone', async () => {
    const events = await startFlow([
      nodeConfig('m2fp-load', 'load', { wires: [['node']] }),
      nodeConfig('m2fp-infer', 'node'),
    ]);
    send({ payload: image });
    await events.ended();
    assert.equal(acquired.length, 1);
    const after = await deploy([nodeConfig('m2fp-infer', 'node')]);
    send({ payload: image });
    await after.ended();
    assert.equal(after.sent.length, 1);
    assert.equal(engine.releases, acquired.length - 1);
    await deploy([nodeConfig('m2fp-preview', 'node')]);
    assert.equal(engine.releases, acquired.length);
    assert.equal(engine.subscribers, 0);
  });

  it('are not those whose model is disabled or was deleted', async () => {
    const events = await startFlow([nodeConfig('m2fp-infer', 'node', { model: 'gone' })]);
    send({ payload: image });
    await events.ended();
    assert.equal(events.caught[0]!.error.code, 'M2FP_MODEL_NOT_FOUND');
    assert.deepEqual(acquired, []);
  });
});
