/** An engine whose pictures are parsed by workers on other machines. */
import { systemClock, type Clock } from '../../clock.ts';
import { limitsFrom } from '../../image/limits.ts';
import type { ModelManifest } from '../../m2fp/manifest.ts';
import { PooledEngine, type LineOptions } from '../pooled-engine.ts';
import type { WorkerAddress, WorkerLink } from './link.ts';
import { DEFAULT_REMOTE_PATIENCE, type RemotePatience } from './reach.ts';
import { RemotePool } from './remote-pool.ts';

/** Options that an engine takes over while it runs. */
export interface RemoteLiveOptions extends LineOptions {
  /** Milliseconds from handing a picture over until it is answered; 0 = no limit. */
  timeout: number;
}

/** What tests replace. */
export interface RemoteInternals {
  clock?: Clock;
  patience?: Partial<RemotePatience>;
}

export interface RemoteEngineSetup {
  /** Of the model that workers must have. */
  manifest: ModelManifest;
  address: WorkerAddress;
  link: WorkerLink;
  options: RemoteLiveOptions;
}

export class RemoteEngine extends PooledEngine<RemoteLiveOptions> {
  readonly #pool: RemotePool;

  /** Opens nothing. */
  constructor({ manifest, address, link, options }: RemoteEngineSetup, internals: RemoteInternals = {}) {
    const { clock = systemClock } = internals;
    const patience = { ...DEFAULT_REMOTE_PATIENCE, ...internals.patience };
    let made!: RemotePool;
    super({
      manifest,
      options,
      clock,
      pool: (owner, live) =>
        (made = new RemotePool({
          link,
          address,
          manifest,
          timeout: () => live().timeout,
          maxPixels: () => limitsFrom(live()).maxPixels,
          patience,
          owner,
        })),
    });
    this.#pool = made;
  }

  /** Who could parse a picture that comes now; `unknown` where the link is not open. */
  get prospect(): RemotePool['prospect'] {
    return this.#pool.prospect;
  }
}
