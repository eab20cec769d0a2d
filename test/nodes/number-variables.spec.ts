/** Number fields take environment variables, in all forms and when the flow runs. */
import assert from 'node:assert/strict';
import type { ModelNode } from '../../nodes/common/model.ts';
import type { EngineOptions } from '../../src/engine/types.ts';
import { twoPeople } from '../support/images.ts';
import { template } from './support/editor-files.ts';
import { exampleParsing, type FakeEngine, fakeEngines, restoreEngines } from './support/fake-engine.ts';
import { nodeConfig, registered, TYPES } from './support/flows.ts';
import { nodeOf, send, startFlow, stopFlow } from './support/red.ts';

const ENVIRONMENT = { M2FP_TEST_SCORE: '0.7', M2FP_TEST_SIDE: '320', M2FP_TEST_FEW: '2' };

describe('a number field', () => {
  for (const type of TYPES) {
    it(`of ${type} takes the name of an environment variable`, () => {
      const html = template(type);
      assert.doesNotMatch(html, /type="number"/, type);
      for (const [, name] of html.matchAll(/id="node-(?:config-)?input-(\w+)"[^>]*class="m2fp-number"/g)) {
        const { validate } = registered(type).defaults[name!]!;
        assert.equal(validate?.call({}, '${NAME}', {}) ?? true, true, `${type} ${name}`);
        assert.notEqual(validate?.call({}, '${NAME', {}), true, `${type} ${name}`);
      }
    });
  }

  describe('when the flow runs', () => {
    let engine: FakeEngine;
    let acquired: EngineOptions[];

    before(() => void Object.assign(process.env, ENVIRONMENT));
    after(() => {
      for (const name of Object.keys(ENVIRONMENT)) delete process.env[name];
    });
    beforeEach(() => {
      ({ engine, acquired } = fakeEngines());
    });
    afterEach(async () => {
      await stopFlow();
      restoreEngines();
    });

    it('is the value of the variable', async () => {
      const events = await startFlow([
        nodeConfig('m2fp-model', 'model', { shortSide: '${M2FP_TEST_SIDE}', maxQueue: '${M2FP_TEST_FEW}' }),
        nodeConfig('m2fp-infer', 'node', { model: 'model', scoreThreshold: '${M2FP_TEST_SCORE}' }),
      ]);
      send({ payload: twoPeople });
      await events.ended();
      assert.equal(events.caught.length, 0);
      assert.equal(engine.requests[0]!.options?.scoreThreshold, 0.7);
      assert.equal(acquired[0]!.maxQueue, 2);
      assert.equal((nodeOf('model') as ModelNode).parseOptions().shortSide, 320);
    });

    for (const [type, name] of [
      ['m2fp-infer', 'scoreThreshold'],
      ['m2fp-infer', 'limit'],
      ['m2fp-colorize', 'opacity'],
      ['m2fp-crop', 'minScore'],
      ['m2fp-redact', 'cells'],
      ['m2fp-preview', 'size'],
    ] as const) {
      it(`ends the messages of ${type} in an error where ${name} names no variable`, async () => {
        const events = await startFlow([nodeConfig(type, 'node', { [name]: '${M2FP_TEST_NONE}' })]);
        send({ payload: twoPeople, parsing: await exampleParsing() });
        await events.ended();
        assert.equal(events.caught[0]?.error.code, 'M2FP_BAD_OPTION');
        assert.match(events.caught[0].error.message, /M2FP_TEST_NONE/);
      });
    }
  });
});
