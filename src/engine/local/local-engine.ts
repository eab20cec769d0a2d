/** An engine on this machine: its pool is made of child processes. */
import type { ModelManifest } from '../../m2fp/manifest.ts';
import { entryPoint } from '../../paths.ts';
import { digestsOf } from '../../store/digest.ts';
import { systemClock, type Clock } from '../../clock.ts';
import { CrashLog } from './crash-log.ts';
import { memoryNeeded } from './memory.ts';
import { ProcessPool } from './process-pool.ts';
import { PooledEngine } from '../queue/pooled-engine.ts';
import { automaticLimit, poolSize, thisMachine, type Machine } from './sizing.ts';
import { DEFAULT_RESTART_POLICY, type RestartPolicy } from './restart-policy.ts';
import type { EngineOptions } from '../types.ts';

/** What tests replace, and what is no user's to choose. */
export interface EngineInternals {
  /** `wasm`: onnxruntime's WebAssembly build, also where the native one is there. */
  provider?: 'wasm';
  /** The file that the child process runs. */
  entry?: string;
  clock?: Clock;
  policy?: Partial<RestartPolicy>;
  machine?: Machine;
}

/** Options that an engine takes over while it runs; the others need other processes. */
export type LiveOptions = Omit<Required<EngineOptions>, 'threads' | 'processes'>;

export class LocalEngine extends PooledEngine<LiveOptions> {
  /** Options in full, as `completeEngineOptions` gives them. Starts nothing. */
  constructor(manifest: ModelManifest, options: Required<EngineOptions>, internals: EngineInternals = {}) {
    const {
      clock = systemClock,
      machine = thisMachine(),
      entry = entryPoint('engine/child/child'),
    } = internals;
    const policy = { ...DEFAULT_RESTART_POLICY, ...internals.policy };
    const needed = memoryNeeded(manifest);
    const size = poolSize(options, needed, machine);
    const ownLimit = automaticLimit(needed, size.processes, machine);
    super({
      manifest,
      options,
      clock,
      pool: (owner, live) =>
        new ProcessPool({
          size,
          supervisor: {
            entry,
            load: () => {
              const { model, warmUp } = live();
              const { digest } = manifest;
              return {
                model,
                digest,
                digests: digestsOf(model),
                threads: size.threads,
                warmUp,
                ...(internals.provider && { provider: internals.provider }),
              };
            },
            limits: () => {
              const { maxMemory, ...others } = live();
              return { ...others, maxMemory: maxMemory ?? ownLimit, automatic: maxMemory === null };
            },
            policy,
            crashes: new CrashLog(clock, policy),
          },
          owner,
        }),
    });
  }
}
