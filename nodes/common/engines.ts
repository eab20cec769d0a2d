/** Where the nodes get models and engines from. The tests put their own functions in. */
import type { EngineLease } from '../../src/engine/index.ts';
import type { EngineOptions } from '../../src/engine/types.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import type { PulledModel, PullOptions } from '../../src/store/pull.ts';
import { codeOf } from './failure.ts';
import type { PublishedModel } from './model.ts';

export const engines = {
  /** See `acquireEngine` of src/engine. */
  async acquire(options: EngineOptions): Promise<EngineLease> {
    const { acquireEngine } = await import('../../src/engine/index.ts');
    return acquireEngine(options);
  },

  /** See `readManifest` of src/store. */
  async readManifest(folder: string): Promise<ModelManifest> {
    const { readManifest } = await import('../../src/store/manifest.ts');
    return readManifest(folder);
  },

  /** True where the store holds the model. A damaged one does not count: to pull it makes it again. */
  async isPulled({ root, id, revision, precision }: PublishedModel): Promise<boolean> {
    const { openStore } = await import('../../src/store/store.ts');
    try {
      return (await openStore(root).find(id, revision, precision)) !== undefined;
    } catch (error) {
      if (codeOf(error) === 'M2FP_MODEL_INVALID') return false;
      throw error;
    }
  },

  /** See `pullModel` of src/store. */
  async pull(options: PullOptions): Promise<PulledModel> {
    const { pullModel } = await import('../../src/store/pull.ts');
    return pullModel(options);
  },
};
