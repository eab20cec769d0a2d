/** How the engines, or those of one model, do now. */
import type { EngineInfo } from '../../src/engine/types.ts';
import { type Health, healthOf, type MissingModel } from '../../src/observe/health.ts';
import { processMetrics } from '../../src/observe/metrics.ts';
import { engines } from '../common/services.ts';
import type { ModelNode } from '../common/model.ts';

export interface Look {
  health: Health;
  engines: EngineInfo[];
  /** Of the only model to tell of; absent = all. One that is not known has no metrics either. */
  digest?: string;
}

/**
 * Loads and downloads nothing.
 * @param model the only one to tell of
 * @param deployed all models of the flows, where there is no such one; what nobody uses stands in nobody's way
 */
export async function look(model: ModelNode | undefined, deployed: readonly ModelNode[] = []): Promise<Look> {
  const all = await engines.list();
  if (model === undefined) {
    const used = deployed.filter(({ users }) => Object.keys(users).length > 0);
    const found = await Promise.all(used.map((one) => examine(one, all)));
    return describe(
      all,
      undefined,
      found.flatMap((one) => ('missing' in one ? [one.missing] : [])),
    );
  }
  const found = await examine(model, all);
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

async function examine(
  model: ModelNode,
  running: readonly EngineInfo[],
): Promise<{ digest: string } | { missing: MissingModel }> {
  let id = model.name || model.id;
  try {
    const { published, checkpoint, remote, folder, presence } = await model.place();
    // It is being tried again already.
    if (remote?.failure !== undefined) throw remote.failure;
    id = (published ?? checkpoint)?.id ?? id;
    if (presence.state === 'absent' && presence.failure !== undefined) throw presence.failure;
    if (presence.state !== 'present') return { missing: { id, state: presence.state } };
    const manifest = await model.manifest();
    ({ id } = manifest);
    const works = running.some(
      (info) => info.manifest.digest === manifest.digest && ['ready', 'running'].includes(info.state),
    );
    // What was read once may have been damaged, or deleted, since: the next start of a process needs it.
    if (!works && folder !== null) await engines.readManifest(folder);
    return { digest: manifest.digest };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { missing: { id, state: 'failed', message } };
  }
}
