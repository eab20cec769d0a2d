/** The files of one config node's model: whether they are there, how they come, and a download that failed tried again. */
import type { Clock } from '../../src/clock.ts';
import type { LocalSource } from '../../src/store/local.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import { codeOf } from '../common/failure.ts';
import type { ModelPresence } from '../common/model.ts';
import { services } from '../common/services.ts';
import type { WantedModel } from './choice.ts';
import { ModelPull, type PullListener } from './pull.ts';
import { Retry } from './retry.ts';
import type { LocalSettings, ModelSettings } from './settings.ts';

/** Between the end of a failed download and the next try, milliseconds. */
const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 600_000;

export interface FilesListener extends PullListener {
  /** Whether there is anybody to have them for. */
  isUsed(): boolean;
}

export class ModelFiles {
  readonly #settings: () => ModelSettings;
  readonly #pull: ModelPull;
  readonly #isUsed: () => boolean;
  readonly #retry: Retry;
  /** Before the next try to download, milliseconds. */
  #pause = FIRST_PAUSE;

  /** @param settings throws where the configuration is wrong */
  constructor(settings: () => ModelSettings, listener: FilesListener, clock: Clock) {
    this.#settings = settings;
    this.#isUsed = () => listener.isUsed();
    this.#retry = new Retry(clock);
    this.#pull = new ModelPull({
      changed: (presence) => {
        if (presence.state === 'present') this.#pause = FIRST_PAUSE;
        listener.changed(presence);
      },
      failed: (error) => {
        listener.failed(error);
        this.#tryAgain(error);
      },
      made: (model) => listener.made(model),
    });
  }

  /** Undefined while nothing is being pulled, and while the store is looked into. */
  get progress(): PullProgress | undefined {
    return this.#pull.progress;
  }

  /** True from the first look into the store on. */
  get isComing(): boolean {
    return this.#pull.running;
  }

  /** Milliseconds until a download that failed is tried again; undefined where that is not planned. */
  get retryIn(): number | undefined {
    return this.#retry.remaining;
  }

  /** The model's folder, when it is there: a published model is pulled, and a checkpoint converted. */
  async folder(settings: LocalSettings): Promise<string> {
    const wanted = await wantedOf(settings);
    return wanted ? this.#pull.run(wanted) : settings.engine.model;
  }

  /** Pulls nothing. @param checkpoint what lies in the folder in place of a converted model */
  async presence({ published }: LocalSettings, checkpoint?: LocalSource): Promise<ModelPresence> {
    const { progress } = this.#pull;
    if (progress) return { state: 'pulling', progress };
    const wanted = published ?? checkpoint;
    if (wanted === undefined || (await services.isPulled(wanted))) return { state: 'present' };
    const { failure } = this.#pull;
    return {
      state: 'absent',
      ...(checkpoint && { checkpoint: true }),
      ...(failure !== undefined && { failure }),
    };
  }

  /** Lets the listener know of what has come by other hands. */
  async lookAgain(): Promise<void> {
    const settings = this.#settings();
    if (settings.source === 'remote' || this.#pull.progress) return;
    const wanted = await wantedOf(settings);
    // What is there is found by the pull, which tells of it.
    if (wanted && (await services.isPulled(wanted))) await this.folder(settings);
  }

  /** Whoever needs the files next looks again whether they are there. */
  lookAnew(): void {
    this.#pull.lookAnew();
  }

  /** Tries no more by itself. */
  rest(): void {
    this.#retry.cancel();
  }

  /** Gives up a pull, and resolves when it has ended. */
  async cancel(): Promise<void> {
    this.rest();
    this.#pause = FIRST_PAUSE;
    await this.#pull.cancel();
  }

  /**
   * A download that failed is tried again, ever more rarely: whoever looks at the health sends no picture meanwhile,
   * so none would begin it. What else is wrong, a person has to mend.
   */
  #tryAgain(reason: unknown): void {
    if (!this.#isUsed() || codeOf(reason) !== 'M2FP_DOWNLOAD_FAILED') return;
    this.#retry.plan(() => {
      const settings = this.#settings();
      // It tells of itself.
      if (settings.source !== 'remote') this.folder(settings).catch(() => {});
    }, this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }
}

async function wantedOf(settings: LocalSettings): Promise<WantedModel | undefined> {
  return settings.published ?? (await checkpointOf(settings));
}

/** What lies in the folder in place of a converted model. */
export async function checkpointOf({ engine, conversion }: LocalSettings): Promise<LocalSource | undefined> {
  return conversion && services.checkpointAt(engine.model, conversion);
}
