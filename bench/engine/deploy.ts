/** From the Deploy button to a model that is ready, with and without an engine that lingers. */
import { median } from '../statistics.ts';
import type { BenchFlow } from './flow.ts';
import { repeat, type Rounds, timed } from './rounds.ts';

export interface DeployResult {
  rounds: number;
  /** No engine process before: one is started and loads the model. */
  coldMs: number;
  /** The engine of the deploy before serves on. */
  warmMs: number;
  /** Median over the rounds of cold by warm. */
  ratio: number;
}

export async function benchDeploy(flow: BenchFlow, rounds: Rounds): Promise<DeployResult> {
  const deploy = async () => {
    await flow.deploy();
    await flow.load();
  };
  const found = await repeat(rounds, async () => {
    await flow.unload();
    const cold = await timed(deploy);
    const before = flow.processes();
    const warm = await timed(deploy);
    const after = flow.processes();
    if (before.length !== 1 || after.join() !== before.join()) {
      throw new Error(
        `The redeploy changed the engine's processes from ${before.join()} to ${after.join()}.`,
      );
    }
    return { cold: cold.ms, warm: warm.ms };
  });
  return {
    rounds: found.length,
    coldMs: median(found.map(({ cold }) => cold)),
    warmMs: median(found.map(({ warm }) => warm)),
    ratio: median(found.map(({ cold, warm }) => cold / warm)),
  };
}
