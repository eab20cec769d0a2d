/** Where the nodes get models and engines from. The tests put their own functions in. */
import type { M2fpError } from '../../src/errors.ts';
import type { EngineLease, ListedEngine } from '../../src/engine/index.ts';
import type { RemoteEngineOptions } from '../../src/engine/remote/redis/settings.ts';
import type { RemoteDescription } from '../../src/engine/remote/client/acquire.ts';
import type { WorkerAddress } from '../../src/engine/remote/client/transport.ts';
import type { EngineOptions } from '../../src/engine/types.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import type { Diagnosis } from '../../src/observe/diagnosis.ts';
import type { Int8Options } from '../../src/quantize/int8-model.ts';
import type { Int8Speed } from '../../src/m2fp/int8-speed.ts';
import type { Conversion, LocalOptions, LocalSource } from '../../src/store/local.ts';
import type { PulledModel, PullOptions } from '../../src/store/pull.ts';
import type { ModelName } from '../../src/store/names.ts';
import { codeOf } from './failure.ts';

/** All that nodes ask of src/: engines, models on disk, downloads, conversions, diagnoses. Each loads its code when called. */
export const services = {
  /**
   * See `acquireEngine` of src/engine.
   * @param owner the config node's id: who asks again with other options gets them as soon as they are ready
   */
  async acquire(options: EngineOptions, owner: string): Promise<EngineLease> {
    const { acquireEngine } = await import('../../src/engine/index.ts');
    return acquireEngine(options, { owner });
  },

  /** See `acquireRemoteEngine` of src/engine; `owner` is as above. */
  async acquireRemote(options: RemoteEngineOptions, owner: string): Promise<EngineLease> {
    const { acquireRemoteEngine } = await import('../../src/engine/index.ts');
    return acquireRemoteEngine(options, { owner });
  },

  /** See `describeRemote` of src/engine. */
  async describeRemote(address: WorkerAddress): Promise<RemoteDescription> {
    const { describeRemote } = await import('../../src/engine/index.ts');
    return describeRemote(address);
  },

  /** See `listEngines` of src/engine. */
  async list(): Promise<ListedEngine[]> {
    const { listEngines } = await import('../../src/engine/index.ts');
    return listEngines();
  },

  /** Why models will run on WebAssembly here, or already do; null where nothing says so. */
  async fallback(): Promise<string | null> {
    const { listEngines } = await import('../../src/engine/index.ts');
    const { foreseenFallback } = await import('../../src/engine/child/runtime.ts');
    // Workers on other machines have other reasons.
    const local = listEngines().filter(({ processes }) => processes.every(({ host }) => host === undefined));
    return local.find(({ fallback }) => fallback !== null)?.fallback ?? foreseenFallback();
  },

  /** Why no picture can be read or written here; null where nothing says so. */
  async imageProblem(): Promise<M2fpError | null> {
    const { foreseenSharpProblem } = await import('../../src/image/sharp.ts');
    return foreseenSharpProblem();
  },

  /**
   * See `readManifest` of src/store.
   * @param intact whether its files are read, too, once for each state of them: see `intactManifest`
   */
  async readManifest(folder: string, intact = false): Promise<ModelManifest> {
    const { intactManifest, readManifest } = await import('../../src/store/manifest.ts');
    return intact ? intactManifest(folder) : readManifest(folder);
  },

  /** See `intactManifest` of src/store. */
  async intactManifest(folder: string): Promise<ModelManifest> {
    const { intactManifest } = await import('../../src/store/manifest.ts');
    return intactManifest(folder);
  },

  /** True where the store holds the model. A damaged one does not count: to pull it makes it again. */
  async isPulled({ root, id, revision, precision }: ModelName & { root: string }): Promise<boolean> {
    const { openStore } = await import('../../src/store/store.ts');
    try {
      return (await openStore(root).find(id, revision, precision)) !== undefined;
    } catch (error) {
      if (codeOf(error) === 'M2FP_MODEL_INVALID') return false;
      throw error;
    }
  },

  /** See `pullModel` of src/store and `pullInt8` of src/quantize. @param options.again whether int8 is made once more */
  async pull(options: PullOptions & Pick<Int8Options, 'pictures' | 'again'>): Promise<PulledModel> {
    if (options.precision === 'int8') {
      const { pullInt8 } = await import('../../src/quantize/int8-model.ts');
      return pullInt8(options, options);
    }
    const { pullModel } = await import('../../src/store/pull.ts');
    return pullModel(options);
  },

  /** See `localCheckpoint` of src/store and `localInt8` of src/quantize. */
  async checkpointAt(path: string, { root, ...choice }: Conversion): Promise<LocalSource | undefined> {
    if (choice.precision === 'int8') {
      const { localInt8 } = await import('../../src/quantize/int8-model.ts');
      return localInt8(path, root, choice);
    }
    const { localCheckpoint } = await import('../../src/store/local.ts');
    return localCheckpoint(path, root, choice);
  },

  /** See `convertLocal` of src/store and `convertInt8` of src/quantize. @param options.again as for {@link pull} */
  async convert(
    local: LocalSource,
    options: LocalOptions & Pick<Int8Options, 'again'>,
  ): Promise<PulledModel> {
    if (local.precision === 'int8') {
      const { convertInt8 } = await import('../../src/quantize/int8-model.ts');
      return convertInt8(local, { ...options, pictures: local.pictures });
    }
    const { convertLocal } = await import('../../src/store/local.ts');
    return convertLocal(local, options);
  },

  /** See `diagnose` of src/observe; int8 is measured by {@link int8Speed} alone. */
  async diagnose(stores: readonly string[], nodeRed: string | undefined): Promise<Diagnosis> {
    const { diagnose } = await import('../../src/observe/doctor.ts');
    const { int8Speed } = await import('../../src/quantize/speed.ts');
    const int8 = () => Promise.resolve(int8Speed.known);
    return diagnose({ stores, int8, ...(nodeRed !== undefined && { nodeRed }) });
  },

  /**
   * How much faster int8 is on this machine: measured at the first call, which takes some seconds.
   * @throws {M2fpError} as `Int8SpeedGauge.measure` of src/quantize does
   */
  async int8Speed(signal?: AbortSignal): Promise<Int8Speed> {
    const { int8Speed } = await import('../../src/quantize/speed.ts');
    return int8Speed.measure(signal);
  },

  /** The same where somebody measured it before. */
  async knownInt8Speed(): Promise<Int8Speed | undefined> {
    const { int8Speed } = await import('../../src/quantize/speed.ts');
    return int8Speed.known;
  },
};
