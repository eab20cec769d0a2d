/** What a config node keeps for the nodes that use it: the pull, one lease on the engine, the manifest, the users. */
import type { Node } from 'node-red';
import { MemoizedPromise, raceSignal } from '../../src/async.ts';
import { systemClock, type Clock } from '../../src/clock.ts';
import type { WorkerFacts } from '../../src/engine/remote/client/transport.ts';
import type { Engine, EngineInfo } from '../../src/engine/types.ts';
import { M2fpError } from '../../src/errors.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import type { LocalCheckpoint } from '../../src/store/local.ts';
import { modelFolder } from '../../src/store/names.ts';
import type { PulledModel } from '../../src/store/pull.ts';
import { engines } from '../common/services.ts';
import { codeOf } from '../common/failure.ts';
import type { ModelPlace, ModelPresence, ModelUser, PublishedModel } from '../common/model.ts';
import { EngineLeaseHolder, type EngineHolder } from './engine-lease-holder.ts';
import { ModelPull } from './pull.ts';
import { Retry } from './retry.ts';
import type { LocalSettings, ModelSettings } from './settings.ts';

/** Between the end of a failed download and the next try, milliseconds. */
const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 600_000;

export class ModelService {
  /** Registered nodes by id. */
  readonly users: Record<string, Node> = {};
  readonly #listeners = new Map<string, ModelUser>();
  readonly #settings: () => ModelSettings;
  readonly #pull: ModelPull;
  /** Messages that wait for the model. */
  #waiting = 0;
  readonly #manifest = new MemoizedPromise<ModelManifest>();
  readonly #engine: EngineLeaseHolder;
  readonly #retry: Retry;
  /** Before the next try to download, milliseconds. */
  #pause = FIRST_PAUSE;

  /**
   * @param owner the config node's id
   * @param settings throws where the configuration is wrong
   * @param onMade told of a model that was downloaded and converted
   * @param onFallback told, often, why the engine does not run on the fastest that there is
   */
  constructor(
    owner: string,
    settings: () => ModelSettings,
    onMade: (model: PulledModel) => void,
    onFallback: (why: string) => void,
    clock: Clock = systemClock,
  ) {
    this.#settings = settings;
    this.#retry = new Retry(clock);
    this.#pull = new ModelPull({
      changed: (presence) => {
        if (presence.state === 'present') this.#pause = FIRST_PAUSE;
        this.#notify((user) => user.presenceChanged(presence));
      },
      failed: (error) => {
        this.#notify((user) => user.modelFailed(error));
        this.#tryAgain(error);
      },
      made: onMade,
    });
    const holder: EngineHolder = {
      changed: (info) => {
        if (info.fallback !== null) onFallback(info.fallback);
        this.#notify((user) => user.engineChanged?.(info));
      },
      failed: (reason) => this.#notify((user) => user.modelFailed(reason)),
      isUsed: () => this.#listeners.size > 0,
    };
    this.#engine = new EngineLeaseHolder(owner, settings, (local) => this.#pulled(local), holder, clock);
  }

  /** Tells `user` at once what is known of the engine, and of what is wrong with the model. */
  register(node: Node, user: ModelUser): void {
    this.users[node.id] = node;
    this.#listeners.set(node.id, user);
    const { info, failure } = this.#engine;
    if (info) user.engineChanged?.(info);
    if (failure !== undefined) user.modelFailed(failure);
    const { progress } = this.#pull;
    if (progress) user.presenceChanged({ state: 'pulling', progress });
    void this.#inform(node.id);
  }

  deregister(node: Node): void {
    delete this.users[node.id];
    this.#listeners.delete(node.id);
    if (this.#listeners.size === 0) {
      this.#engine.rest();
      this.#retry.cancel();
    }
    // A client that has gone is no reason to stop, for another one will come; a deploy without those who wait is.
    if (this.#pull.running && this.#waiting === 0) void this.forget();
  }

  /** Of the engine, while there is one. */
  get info(): EngineInfo | undefined {
    return this.#engine.info;
  }

  isComing(): boolean {
    return this.#pull.running || this.#engine.isReaching;
  }

  async place(): Promise<ModelPlace> {
    const settings = this.#settings();
    const { failure, info } = this.#engine;
    const engine = {
      ...(failure !== undefined && { failure }),
      ...(info && { engine: info.state }),
    };
    if (settings.source === 'remote') {
      const { url, queue } = settings.engine.address;
      return {
        source: 'remote',
        folder: null,
        remote: { url, queue },
        presence: { state: 'present' },
        ...engine,
      };
    }
    const { source, published } = settings;
    const checkpoint = await checkpointOf(settings);
    return {
      source,
      folder: checkpoint ? modelFolder(checkpoint.root, checkpoint) : settings.engine.model,
      ...(published && { published }),
      ...(checkpoint && { checkpoint }),
      presence: await this.#presence(published, checkpoint),
      ...engine,
    };
  }

  async present(signal?: AbortSignal): Promise<void> {
    await this.#wait(async () => {
      const settings = this.#settings();
      if (settings.source !== 'remote') await this.#pulled(settings);
    }, signal);
  }

  async lookAgain(): Promise<void> {
    try {
      const settings = this.#settings();
      if (settings.source === 'remote' || this.#pull.progress) return;
      const wanted = settings.published ?? (await checkpointOf(settings));
      // What is there is found by the pull, which tells of it.
      if (wanted && (await engines.isPulled(wanted))) await this.#pulled(settings);
    } catch {
      // The nodes are told what is wrong by those who looked first.
    }
  }

  async manifest(signal?: AbortSignal): Promise<ModelManifest> {
    return this.#wait(() => this.#knownManifest(), signal);
  }

  async engine(signal?: AbortSignal): Promise<Engine> {
    return this.#wait(() => this.#engine.get(), signal);
  }

  async workers(signal?: AbortSignal): Promise<readonly WorkerFacts[] | undefined> {
    const settings = this.#settings();
    if (settings.source !== 'remote') return undefined;
    const answer = engines.describeRemote(settings.engine.address);
    const { workers } = await this.#count(answer, signal);
    return workers;
  }

  /**
   * Gives the engine back, once, also one that is just being acquired, tries no more to reach workers, and waits for
   * the end of a pull.
   */
  async forget(): Promise<void> {
    this.#retry.cancel();
    this.#pause = FIRST_PAUSE;
    const released = this.#engine.release();
    const manifest = this.#manifest.forget();
    const ended = this.#pull.cancel();
    await released;
    await manifest?.catch(() => {});
    await ended;
  }

  /** @throws {M2fpError} `M2FP_BUSY` where the line is full */
  async #wait<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const cause = this.#pull.progress
      ? 'The model is being downloaded or converted'
      : this.#engine.isReaching && 'Workers are being looked for';
    if (cause) {
      const { maxQueue } = this.#settings().engine;
      if (this.#waiting > maxQueue) {
        throw new M2fpError(
          'M2FP_BUSY',
          `${cause}, and the limit of ${maxQueue} messages that wait for that is reached: send fewer, or raise the ` +
            'limit.',
        );
      }
    }
    return this.#count(work(), signal);
  }

  /** Who has given up is told of nothing, and does not count. */
  async #count<T>(result: Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#waiting++;
    let counts = true;
    const leave = (): void => {
      if (counts) this.#waiting--;
      counts = false;
    };
    // At once, so that whoever counts right after the abort does not count this one.
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await raceSignal(result, signal);
    } finally {
      signal?.removeEventListener('abort', leave);
      leave();
    }
  }

  /**
   * A download that failed is tried again, ever more rarely: whoever looks at the health sends no picture meanwhile,
   * so none would begin it. What else is wrong, a person has to mend.
   */
  #tryAgain(reason: unknown): void {
    if (this.#listeners.size === 0 || codeOf(reason) !== 'M2FP_DOWNLOAD_FAILED') return;
    this.#retry.plan(() => {
      const settings = this.#settings();
      // It tells of itself.
      if (settings.source !== 'remote') this.#pulled(settings).catch(() => {});
    }, this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  /** The model's folder, when it is there. */
  async #pulled(settings: LocalSettings): Promise<string> {
    const wanted = settings.published ?? (await checkpointOf(settings));
    return wanted ? this.#pull.run(wanted) : settings.engine.model;
  }

  async #presence(published?: PublishedModel, checkpoint?: LocalCheckpoint): Promise<ModelPresence> {
    const { progress } = this.#pull;
    if (progress) return { state: 'pulling', progress };
    const wanted = published ?? checkpoint;
    if (wanted === undefined || (await engines.isPulled(wanted))) return { state: 'present' };
    const { failure } = this.#pull;
    return {
      state: 'absent',
      ...(checkpoint && { checkpoint: true }),
      ...(failure !== undefined && { failure }),
    };
  }

  /** Tells the user what is wrong with the model, or that it is not there, without pulling or loading it. */
  async #inform(id: string): Promise<void> {
    try {
      const { presence, source } = await this.place();
      const problem = source === 'remote' ? null : await engines.imageProblem();
      if (problem !== null) throw problem;
      if (presence.state === 'present') await this.#knownManifest();
      // A pull that has begun meanwhile tells of itself.
      else if (!this.#pull.progress) this.#listeners.get(id)?.presenceChanged(presence);
    } catch (error) {
      this.#listeners.get(id)?.modelFailed(error);
    }
  }

  async #knownManifest(): Promise<ModelManifest> {
    const settings = this.#settings();
    if (settings.source !== 'remote') return this.#manifest.get(() => this.#readManifest(settings));
    const engine = await this.#engine.get();
    return engine.info().manifest;
  }

  async #readManifest(settings: LocalSettings): Promise<ModelManifest> {
    return engines.readManifest(await this.#pulled(settings));
  }

  #notify(what: (user: ModelUser) => void): void {
    for (const user of this.#listeners.values()) what(user);
  }
}

/** What lies in the folder in place of a converted model. */
async function checkpointOf({ engine, conversion }: LocalSettings): Promise<LocalCheckpoint | undefined> {
  return conversion && engines.checkpointAt(engine.model, conversion.root, conversion.precision);
}
