/** How the engines, or those of one model, do now. */
import type { EngineInfo } from '../../src/engine/types.ts';
import { type Health, healthOf, type MissingModel } from '../../src/observe/health.ts';
import { processMetrics } from '../../src/observe/metrics.ts';
import { RedisFailure } from '../../src/engine/remote/redis/address.ts';
import { nodeReasons } from '../common/fitness.ts';
import { services } from '../common/services.ts';
import { type ModelNode, missingModels } from '../common/model.ts';

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
  const used = model ? [model] : deployed.filter(({ users }) => Object.keys(users).length > 0);
  const found = await Promise.all(used.map(examine));
  // Not before: an engine may have begun to load while the model's files were read.
  const all = await services.list();
  const missing = found.flatMap((one) => ('missing' in one ? [one.missing] : []));
  if (model === undefined) missing.push(...goneModels());
  // One that lingers after a deploy, or serves a model node that nobody uses, stands in nobody's way either.
  const serving = all.filter(({ owners }) => used.some(({ id }) => owners.includes(id)));
  const recentRestarts = (of: string): number => processMetrics().recentRestarts(of);
  const reasons = model ? [] : await nodeReasons();
  const health = healthOf({ engines: serving, missing, reasons, recentRestarts });
  if (model === undefined) return { health, engines: all };
  const [only] = found;
  const digest = only && 'digest' in only ? only.digest : '';
  return { health, engines: all.filter((info) => info.manifest.digest === digest), digest };
}

/** Models that nodes name though they are disabled, or were deleted: every picture that comes to those nodes fails. */
function goneModels(): MissingModel[] {
  return [...missingModels()].map(([id, nodes]) => {
    const names = nodes.map((node) => `"${node.name || node.id}" (${node.type})`).join(', ');
    const message = `The model that is chosen in ${names} is disabled, or was deleted: choose another one there.`;
    return { id, state: 'failed', message };
  });
}

async function examine(model: ModelNode): Promise<{ digest: string } | { missing: MissingModel }> {
  let id = model.name || model.id;
  let retryIn: number | undefined;
  try {
    const place = await model.place();
    const { published, checkpoint, folder, presence, failure, engine, source } = place;
    ({ retryIn } = place);
    id = (published ?? checkpoint)?.id ?? id;
    if (presence.state === 'pulling') {
      const { retry } = presence.progress;
      return { missing: { id, state: 'pulling', ...(retry && { retry }) } };
    }
    // What is being tried again already. An equal model that works, of another node, does not help.
    const problem = failure ?? (presence.state === 'absent' ? presence.failure : undefined);
    if (problem !== undefined) throw problem;
    if (presence.state === 'absent') return { missing: { id, state: 'absent' } };
    if (source !== 'remote') {
      const unreadable = await services.imageProblem();
      if (unreadable !== null) throw unreadable;
    } else if (engine === undefined) {
      // Nobody is to wait here until the search ends, which has no end where nobody answers.
      if (!model.isComing()) model.manifest().catch(() => {});
      return { missing: { id, state: 'searching' } };
    }
    const manifest = await model.manifest();
    ({ id } = manifest);
    const works = engine === 'ready' || engine === 'running';
    // What was read once may have been damaged, or deleted, since: the next start of a process needs it. What was never
    // loaded may have been damaged before.
    if (!works && folder !== null) await services.readManifest(folder, true);
    return { digest: manifest.digest };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const state = error instanceof RedisFailure ? error.reason : 'failed';
    return { missing: { id, state, message, ...(retryIn !== undefined && { retryIn }) } };
  }
}
