/** What the tests of the status node share: a fake engine, others beside it, and how the node is asked. */
import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import { services } from '../../../nodes/common/services.ts';
import type { ListedEngine } from '../../../src/engine/index.ts';
import type { EngineInfo } from '../../../src/engine/types.ts';
import { type FakeEngine, fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { type Events, send, stopFlow } from '../support/red.ts';

interface Engines {
  engine: FakeEngine;
  acquired: object[];
  /** Those beside {@link Engines.engine}; they serve the model node, where they do not say whom. */
  others: (EngineInfo & Partial<ListedEngine>)[];
}

export const model = nodeConfig('m2fp-model', 'model');
export const infer = nodeConfig('m2fp-infer', 'infer', { model: 'model' });
export const status = (properties = {}) => nodeConfig('m2fp-status', 'node', properties);

/** Sends a message to the node. @returns what the node made of it, which was no error */
export async function answer(
  events: Events,
  msg: NodeMessage = {},
): Promise<NodeMessage & Record<string, unknown>> {
  const before = events.sent.length;
  send(msg);
  await events.until(() => events.sent.length > before || events.caught.length > 0);
  assert.deepEqual(events.caught, []);
  return events.sent.at(-1)!;
}

/** The key of the status text that is shown. */
export function shown(events: Events): string | undefined {
  return events.statuses.at(-1)?.text?.split('.').at(-1);
}

/** To be called in a `describe`: its tests have engines of their own. */
export function useEngines(): Engines {
  const seen = {} as Engines;
  beforeEach(() => {
    Object.assign(seen, fakeEngines(), { others: [] });
    services.list = async () =>
      [...(seen.acquired.length > 0 ? [seen.engine.info()] : []), ...seen.others].map((info) => ({
        owners: ['model'],
        ...info,
      }));
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });
  return seen;
}
