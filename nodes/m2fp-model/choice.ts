/** Which model a form, or a deployed node, means: two that mean the same have the same text. */
import { createHash } from 'node:crypto';
import type { WorkerAddress } from '../../src/engine/remote/client/transport.ts';
import type { LocalSource } from '../../src/store/local.ts';
import { modelFolder } from '../../src/store/names.ts';
import type { ModelPlace, PublishedModel } from '../common/model.ts';
import type { ModelSettings } from './settings.ts';

/** What is pulled or converted before it can be used. */
export type WantedModel = PublishedModel | LocalSource;

/**
 * Of a model that is downloaded or converted: its id, revision, weights and where they come from.
 * @returns hexadecimal digits, which tell nothing of addresses and paths
 */
export function choiceOfWanted(wanted: WantedModel): string {
  const origin = 'source' in wanted ? wanted.source : wanted.baseUrl.replace(/\/+$/, '');
  return digestOf(modelFolder(wanted.root, wanted), origin);
}

/** Of a form's values. @param checkpoint what lies in the folder in place of a converted model */
export function choiceOfSettings(settings: ModelSettings, checkpoint: LocalSource | undefined): string {
  if (settings.source === 'remote') return choiceOfWorkers(settings.engine.address);
  const wanted = settings.published ?? checkpoint;
  return wanted ? choiceOfWanted(wanted) : digestOf(settings.source, settings.engine.model);
}

/** Of a deployed node. */
export function choiceOfPlace({ source, folder, published, checkpoint, remote }: ModelPlace): string {
  if (remote) return choiceOfWorkers(remote);
  const wanted = published ?? checkpoint;
  return wanted ? choiceOfWanted(wanted) : digestOf(source, folder ?? '');
}

/** By what name they let one in makes no other model. */
function choiceOfWorkers({ url, queue }: Pick<WorkerAddress, 'url' | 'queue'>): string {
  return digestOf('remote', url, queue);
}

function digestOf(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
