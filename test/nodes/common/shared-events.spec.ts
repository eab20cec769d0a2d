/** However often a flow was imported, Node-RED's events have as many listeners as for one: Node.js warns of more than ten. */
import assert from 'node:assert/strict';
import { fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig, TYPES } from '../support/flows.ts';
import { redApi, startFlow, stopFlow } from '../support/red.ts';

describe('copies of a flow', () => {
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  for (const type of TYPES) {
    it(`share their listeners: ${type}`, async () => {
      fakeEngines();
      const listenersOf = async (copies: number): Promise<Record<string, number>> => {
        const nodes = Array.from({ length: copies }, (_, copy) => nodeConfig(type, `node${copy}`));
        await startFlow([nodeConfig(type, 'node'), ...nodes]);
        const { events } = redApi();
        const counts = ['flows:started', 'flows:stopping'].map((name): [string, number] => [
          name,
          events.listenerCount(name),
        ]);
        await stopFlow();
        return Object.fromEntries(counts);
      };
      await listenersOf(1);
      assert.deepEqual(await listenersOf(12), await listenersOf(1));
    });
  }
});
