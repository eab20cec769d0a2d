/** What a config node keeps for the nodes that use it: the pull, one lease on the engine, the manifest, the users. */
import type { Node } from 'node-red';
import type { EngineLease } from '../../src/engine/index.ts';
import type { Engine, EngineInfo } from '../../src/engine/types.ts';
import { M2fpError } from '../../src/errors.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import type { PulledModel } from '../../src/store/pull.ts';
import { engines } from '../common/engines.ts';
import type { ModelPlace, ModelPresence, ModelUser } from '../common/model.ts';
import { Memo } from './memo.ts';
import { ModelPull } from './pull.ts';
import type { ModelSettings } from './settings.ts';
import { WaitingRoom } from './waiting-room.ts';

interface Lease {
  engine: Engine;
  release(): void;
}

export class ModelAccess {
  /** Registered nodes by id. */
  readonly users: Record<string, Node> = {};
  readonly #listeners = new Map<string, ModelUser>();
  readonly #settings: () => ModelSettings;
  readonly #pull: ModelPull;
  readonly #waiting = new WaitingRoom();
  readonly #manifest = new Memo<ModelManifest>();
  readonly #lease = new Memo<Lease>();
  #info: EngineInfo | undefined;

  /**
   * @param settings throws where the configuration is wrong
   * @param onMade told of a model that was downloaded and converted
   */
  constructor(settings: () => ModelSettings, onMade: (model: PulledModel) => void) {
    this.#settings = settings;
    this.#pull = new ModelPull({
      changed: (presence) => this.#tell((user) => user.presenceChanged(presence)),
      failed: (error) => this.#tell((user) => user.modelFailed(error)),
      made: onMade,
    });
  }

  /** Tells `user` at once what is known of the engine, and of what is wrong with the model. */
  register(node: Node, user: ModelUser): void {
    this.users[node.id] = node;
    this.#listeners.set(node.id, user);
    if (this.#info) user.engineChanged?.(this.#info);
    const { progress } = this.#pull;
    if (progress) user.presenceChanged({ state: 'pulling', progress });
    void this.#inform(node.id);
  }

  deregister(node: Node): void {
    delete this.users[node.id];
    this.#listeners.delete(node.id);
    // A client that has gone is no reason to stop, for another one will come; a deploy without those who wait is.
    if (this.#pull.running && this.#waiting.size === 0) void this.forget();
  }

  async place(): Promise<ModelPlace> {
    const { source, engine, published } = this.#settings();
    const presence = await this.#presence();
    return { source, folder: engine.model, ...(published && { published }), presence };
  }

  async present(signal?: AbortSignal): Promise<void> {
    await this.#wait(() => this.#pulled(), signal);
  }

  async manifest(signal?: AbortSignal): Promise<ModelManifest> {
    return this.#wait(() => this.#manifest.get(() => this.#readManifest()), signal);
  }

  async engine(signal?: AbortSignal): Promise<Engine> {
    const lease = await this.#wait(() => this.#lease.get(() => this.#acquire()), signal);
    return lease.engine;
  }

  /** Gives the engine back, once, also one that is just being acquired, and waits for the end of a pull. */
  async forget(): Promise<void> {
    const lease = this.#lease.forget();
    const manifest = this.#manifest.forget();
    this.#info = undefined;
    const ended = this.#pull.cancel();
    await lease?.then(
      (taken) => taken.release(),
      // Whoever asked for the engine was told.
      () => {},
    );
    await manifest?.catch(() => {});
    await ended;
  }

  /** @throws {M2fpError} `M2FP_BUSY` where the line is full */
  async #wait<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#pull.progress) {
      const { maxQueue } = this.#settings().engine;
      if (this.#waiting.size > maxQueue) {
        throw new M2fpError(
          'M2FP_BUSY',
          `The model is being downloaded, and the limit of ${maxQueue} messages that wait for it is reached: ` +
            'send fewer, or raise the limit.',
        );
      }
    }
    return this.#waiting.wait(work(), signal);
  }

  async #pulled(): Promise<void> {
    const { published } = this.#settings();
    if (published) await this.#pull.run(published);
  }

  async #presence(): Promise<ModelPresence> {
    const { published } = this.#settings();
    const { progress } = this.#pull;
    if (progress) return { state: 'pulling', progress };
    return { state: published === undefined || (await engines.isPulled(published)) ? 'present' : 'absent' };
  }

  /** Tells the user what is wrong with the model, or that it is not there, without pulling or loading it. */
  async #inform(id: string): Promise<void> {
    try {
      const presence = await this.#presence();
      if (presence.state === 'present') await this.manifest();
      // A pull that has begun meanwhile tells of itself.
      else if (!this.#pull.progress) this.#listeners.get(id)?.presenceChanged(presence);
    } catch (error) {
      this.#listeners.get(id)?.modelFailed(error);
    }
  }

  async #readManifest(): Promise<ModelManifest> {
    await this.#pulled();
    return engines.readManifest(this.#settings().engine.model);
  }

  async #acquire(): Promise<Lease> {
    await this.#pulled();
    const lease: EngineLease = await engines.acquire(this.#settings().engine);
    const unsubscribe = lease.engine.subscribe((info) => this.#changed(info));
    this.#changed(lease.engine.info());
    return {
      engine: lease.engine,
      release() {
        unsubscribe();
        lease.release();
      },
    };
  }

  #changed(info: EngineInfo): void {
    this.#info = info;
    this.#tell((user) => user.engineChanged?.(info));
  }

  #tell(what: (user: ModelUser) => void): void {
    for (const user of this.#listeners.values()) what(user);
  }
}
