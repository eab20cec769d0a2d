/** How the engines, or those of one model, do now. */
import type { EngineInfo } from '../../src/engine/types.ts';
import { type Health, healthOf, type MissingModel } from '../../src/observe/health.ts';
import { processMetrics } from '../../src/observe/metrics.ts';
import { engines } from '../common/engines.ts';
import type { ModelNode } from '../common/model.ts';

export interface Look {
  health: Health;
  engines: EngineInfo[];
  /** Of the only model to tell of; absent = all. One that is not known has no metrics either. */
  digest?: string;
}

/** Loads and downloads nothing. */
export async function look(model?: ModelNode): Promise<Look> {
  const all = await engines.list();
  if (model === undefined) return describe(all);
  const found = await examine(model);
  if ('missing' in found) return describe([], '', [found.missing]);
  const { digest } = found;
  return describe(
    all.filter((info) => info.manifest.digest === digest),
    digest,
  );
}

function describe(infos: EngineInfo[], digest?: string, missing: MissingModel[] = []): Look {
  const recentRestarts = (of: string): number => processMetrics().recentRestarts(of);
  return {
    health: healthOf({ engines: infos, missing, recentRestarts }),
    engines: infos,
    ...(digest !== undefined && { digest }),
  };
}

async function examine(model: ModelNode): Promise<{ digest: string } | { missing: MissingModel }> {
  let id = model.name ?? model.id;
  try {
    const { published, checkpoint, remote, presence } = await model.place();
    // It is being tried again already.
    if (remote?.failure !== undefined) throw remote.failure;
    id = (published ?? checkpoint)?.id ?? id;
    if (presence.state !== 'present') return { missing: { id, state: presence.state } };
    return { digest: (await model.manifest()).digest };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { missing: { id, state: 'failed', message } };
  }
}
