/** What a config node keeps for the nodes that use it: the model's files, one lease on the engine, the manifest, the users. */
import type { Node } from 'node-red';
import { MemoizedPromise } from '../../src/async.ts';
import { systemClock, type Clock } from '../../src/clock.ts';
import type { WorkerFacts } from '../../src/engine/remote/client/transport.ts';
import type { Engine, EngineInfo } from '../../src/engine/types.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { modelFolder } from '../../src/store/names.ts';
import type { PulledModel } from '../../src/store/pull.ts';
import type { ModelPlace, ModelUser } from '../common/model.ts';
import { services } from '../common/services.ts';
import { EngineLeaseHolder } from './engine-lease-holder.ts';
import { checkpointOf, ModelFiles } from './model-files.ts';
import type { ModelSettings } from './settings.ts';
import { WaitingMessages } from './waiting-messages.ts';

/** What a model node gives to the nodes that use it: the model's files, its manifest and its engine. */
export class ModelService {
  /** Registered nodes by id. */
  readonly users: Record<string, Node> = {};
  readonly #listeners = new Map<string, ModelUser>();
  readonly #settings: () => ModelSettings;
  readonly #files: ModelFiles;
  readonly #waiting = new WaitingMessages();
  readonly #manifest = new MemoizedPromise<ModelManifest>();
  /** Of the engine's model. */
  #digest: string | undefined;
  readonly #engine: EngineLeaseHolder;

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
    const failed = (reason: unknown): void => this.#notify((user) => user.modelFailed(reason));
    const isUsed = (): boolean => this.#listeners.size > 0;
    const changed = (info: EngineInfo): void => {
      if (info.fallback !== null) onFallback(info.fallback);
      // Another model lay in the folder when the engine loaded it anew.
      if (info.manifest.digest !== (this.#digest ?? info.manifest.digest)) void this.#manifest.forget();
      this.#digest = info.manifest.digest;
      this.#notify((user) => user.engineChanged?.(info));
    };
    this.#files = new ModelFiles(
      settings,
      {
        changed: (presence) => this.#notify((user) => user.presenceChanged(presence)),
        failed,
        made: onMade,
        isUsed,
      },
      clock,
    );
    const folder = this.#files.folder.bind(this.#files);
    this.#engine = new EngineLeaseHolder(owner, settings, folder, { changed, failed, isUsed }, clock);
  }

  /** Tells `user` at once what is known of the engine, and of what is wrong with the model. */
  register(node: Node, user: ModelUser): void {
    this.users[node.id] = node;
    this.#listeners.set(node.id, user);
    const { info, failure } = this.#engine;
    this.#engine.wake();
    if (info) user.engineChanged?.(info);
    if (failure !== undefined) user.modelFailed(failure);
    const { progress } = this.#files;
    if (progress) user.presenceChanged({ state: 'pulling', progress });
    void this.#inform(node.id);
  }

  deregister(node: Node): void {
    delete this.users[node.id];
    this.#listeners.delete(node.id);
    if (this.#listeners.size === 0) {
      this.#engine.rest();
      this.#files.rest();
    }
    // A client that has gone is no reason to stop, for another one will come; a deploy without those who wait is.
    if (this.#files.isComing && this.#waiting.count === 0) void this.forget();
  }

  /** Of the engine, while there is one. */
  get info(): EngineInfo | undefined {
    return this.#engine.info;
  }

  isComing(): boolean {
    return !this.#engine.isHeld && (this.#files.isComing || this.#engine.isReaching);
  }

  async place(): Promise<ModelPlace> {
    const settings = this.#settings();
    const { failure, info } = this.#engine;
    const retryIn = failure === undefined ? this.#files.retryIn : this.#engine.retryIn;
    const engine = {
      ...(failure !== undefined && { failure }),
      ...(retryIn !== undefined && { retryIn }),
      ...(info && { engine: info.state }),
    };
    const { source } = settings;
    if (source === 'remote') {
      const { url, queue } = settings.engine.address;
      return { source, folder: null, remote: { url, queue }, presence: { state: 'present' }, ...engine };
    }
    const { published } = settings;
    const checkpoint = await checkpointOf(settings);
    return {
      source,
      folder: checkpoint ? modelFolder(checkpoint.root, checkpoint) : settings.engine.model,
      ...(published && { published }),
      ...(checkpoint && { checkpoint }),
      presence: await this.#files.presence(settings, checkpoint),
      ...engine,
    };
  }

  async present(signal?: AbortSignal): Promise<void> {
    await this.#wait(async () => {
      const settings = this.#settings();
      if (settings.source !== 'remote') await this.#files.folder(settings);
    }, signal);
  }

  async lookAgain(): Promise<void> {
    // The nodes are told what is wrong by those who looked first.
    await this.#files.lookAgain().catch(() => {});
  }

  async manifest(signal?: AbortSignal): Promise<ModelManifest> {
    return this.#wait(() => this.#knownManifest(), signal);
  }

  async engine(signal?: AbortSignal): Promise<Engine> {
    return this.#wait(() => this.#engine.get(), signal);
  }

  async reload(signal?: AbortSignal): Promise<void> {
    this.#files.lookAnew();
    return this.#wait(async () => {
      await this.#engine.reload();
      void this.#manifest.forget();
    }, signal);
  }

  async workers(signal?: AbortSignal): Promise<readonly WorkerFacts[] | undefined> {
    const settings = this.#settings();
    if (settings.source !== 'remote') return undefined;
    const { workers } = await this.#waiting.until(services.describeRemote(settings.engine.address), signal);
    return workers;
  }

  /**
   * Gives the engine back, once, also one that is just being acquired, tries no more to reach workers, and waits for
   * the end of a pull.
   */
  async forget(): Promise<void> {
    const released = this.#engine.release();
    const manifest = this.#manifest.forget();
    const ended = this.#files.cancel();
    await released;
    await manifest?.catch(() => {});
    await ended;
  }

  /** @throws {M2fpError} `M2FP_BUSY` where the line is full */
  async #wait<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const cause = this.#files.progress
      ? 'The model is being downloaded or converted'
      : this.#engine.isReaching && 'Workers are being looked for';
    if (cause) this.#waiting.checkRoom(cause, this.#settings().engine.maxQueue);
    return this.#waiting.until(work(), signal);
  }

  /** Tells the user what is wrong with the model, or that it is not there, without pulling or loading it. */
  async #inform(id: string): Promise<void> {
    try {
      const { presence, source } = await this.place();
      const problem = source === 'remote' ? null : await services.imageProblem();
      if (problem !== null) throw problem;
      if (presence.state === 'present') await this.#knownManifest();
      // A pull that has begun meanwhile tells of itself.
      else if (!this.#files.progress) this.#listeners.get(id)?.presenceChanged(presence);
    } catch (error) {
      this.#listeners.get(id)?.modelFailed(error);
    }
  }

  async #knownManifest(): Promise<ModelManifest> {
    const settings = this.#settings();
    if (settings.source === 'remote') return (await this.#engine.get()).info().manifest;
    return this.#manifest.get(async () => services.readManifest(await this.#files.folder(settings)));
  }

  #notify(what: (user: ModelUser) => void): void {
    for (const user of this.#listeners.values()) what(user);
  }
}
