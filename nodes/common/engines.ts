/** Where the nodes get models and engines from. The tests put their own functions in. */
import type { EngineLease } from '../../src/engine/index.ts';
import type { EngineOptions } from '../../src/engine/types.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';

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
};
