/** The real nodes on real engines whose child processes are fakes: they do what the picture's text says. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { services } from '../../../nodes/common/services.ts';
import type { ModelNode } from '../../../nodes/common/model.ts';
import { acquireEngine, shutdownEngines } from '../../../src/engine/index.ts';
import type { EngineInfo } from '../../../src/engine/types.ts';
import { FAKE_CHILD, FakeClock, MANIFEST } from '../../engine/support/fakes.ts';
import { restoreEngines } from '../../nodes/support/fake-engine.ts';
import { nodeConfig } from '../../nodes/support/flows.ts';
import { type NodeConfig, nodeOf, stopFlow } from '../../nodes/support/red.ts';

export interface FakeChildren {
  /** The engines' clock: it stands still until the test moves it. */
  readonly clock: FakeClock;
  /** Where the model lies. */
  readonly folder: string;
  /** The config node "model". */
  model(properties?: object): NodeConfig;
  /** What the engine of the running flow says. */
  info(): Promise<EngineInfo>;
  /** Ends it all. */
  stop(): Promise<void>;
}

/** Puts engines on the fake child behind the config nodes until `stop`. */
export async function fakeChildren(): Promise<FakeChildren> {
  const clock = new FakeClock();
  const root = await mkdtemp(join(tmpdir(), 'm2fp-faults-'));
  // The fake child reads from the last part what to do at load.
  const folder = await mkdtemp(join(root, 'fine '));
  await writeFile(join(folder, 'm2fp.json'), JSON.stringify(MANIFEST));
  await writeFile(join(folder, 'model.onnx'), ' ');
  await writeFile(join(folder, 'model.onnx.data'), '');
  services.acquire = (options, owner) =>
    acquireEngine(options, { entry: FAKE_CHILD, clock, ...(owner !== undefined && { owner }) });
  return {
    clock,
    folder,
    model: (properties = {}) =>
      nodeConfig('m2fp-model', 'model', { source: 'folder', folder, threads: 1, ...properties }),
    info: async () => (await modelNode().engine()).info(),
    stop: async () => {
      await stopFlow();
      restoreEngines();
      let ended = false;
      const shutdown = shutdownEngines().finally(() => (ended = true));
      // What still runs gets no further than the time that it is granted.
      await settled(() => {
        clock.advance(1000);
        return ended;
      });
      await shutdown;
      await rm(root, { recursive: true, force: true });
    },
  };
}

export function modelNode(): ModelNode {
  return nodeOf('model') as ModelNode;
}

/** A picture for the nodes, an order for the fake child. */
export function order(text: string): Buffer {
  return Buffer.from(`GIF89a${text}`);
}

/** A test that waits for longer has failed. */
const PATIENCE = 10_000;

/** Resolves when the condition holds; other processes and the event loop get their turns meanwhile. */
export async function settled(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`This never came true: ${condition.toString()}`);
    await nextTurn();
  }
}
