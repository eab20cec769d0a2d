/** What a config node keeps for the nodes that use it: the pull, one lease on the engine, the manifest, the users. */
import type { Node } from 'node-red';
import type { EngineLease } from '../../src/engine/index.ts';
import type { Engine, EngineInfo } from '../../src/engine/types.ts';
import { M2fpError } from '../../src/errors.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import type { LocalCheckpoint } from '../../src/store/local.ts';
import { modelFolder } from '../../src/store/names.ts';
import type { PulledModel } from '../../src/store/pull.ts';
import { engines } from '../common/engines.ts';
import type { ModelPlace, ModelPresence, ModelUser, PublishedModel } from '../common/model.ts';
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
  /** The config node's id. */
  readonly #owner: string;
  readonly #settings: () => ModelSettings;
  readonly #pull: ModelPull;
  readonly #waiting = new WaitingRoom();
  readonly #manifest = new Memo<ModelManifest>();
  readonly #lease = new Memo<Lease>();
  readonly #onFallback: (why: string) => void;
  #info: EngineInfo | undefined;

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
  ) {
    this.#owner = owner;
    this.#settings = settings;
    this.#onFallback = onFallback;
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
    const checkpoint = await this.#checkpoint();
    return {
      source,
      folder: checkpoint ? modelFolder(checkpoint.root, checkpoint) : engine.model,
      ...(published && { published }),
      ...(checkpoint && { checkpoint }),
      presence: await this.#presence(published, checkpoint),
    };
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
          `The model is being downloaded or converted, and the limit of ${maxQueue} messages that wait for it is ` +
            'reached: send fewer, or raise the limit.',
        );
      }
    }
    return this.#waiting.wait(work(), signal);
  }

  /** The model's folder, when it is there. */
  async #pulled(): Promise<string> {
    const { published, engine } = this.#settings();
    const wanted = published ?? (await this.#checkpoint());
    return wanted ? this.#pull.run(wanted) : engine.model;
  }

  /** What lies in the folder in place of a converted model. */
  async #checkpoint(): Promise<LocalCheckpoint | undefined> {
    const { engine, conversion } = this.#settings();
    return conversion && engines.checkpointAt(engine.model, conversion.root, conversion.precision);
  }

  async #presence(published?: PublishedModel, checkpoint?: LocalCheckpoint): Promise<ModelPresence> {
    const { progress } = this.#pull;
    if (progress) return { state: 'pulling', progress };
    const wanted = published ?? checkpoint;
    if (wanted === undefined || (await engines.isPulled(wanted))) return { state: 'present' };
    return { state: 'absent', ...(checkpoint && { checkpoint: true }) };
  }

  /** Tells the user what is wrong with the model, or that it is not there, without pulling or loading it. */
  async #inform(id: string): Promise<void> {
    try {
      const { presence } = await this.place();
      if (presence.state === 'present') await this.manifest();
      // A pull that has begun meanwhile tells of itself.
      else if (!this.#pull.progress) this.#listeners.get(id)?.presenceChanged(presence);
    } catch (error) {
      this.#listeners.get(id)?.modelFailed(error);
    }
  }

  async #readManifest(): Promise<ModelManifest> {
    return engines.readManifest(await this.#pulled());
  }

  async #acquire(): Promise<Lease> {
    const model = await this.#pulled();
    const lease: EngineLease = await engines.acquire({ ...this.#settings().engine, model }, this.#owner);
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
    if (info.fallback !== null) this.#onFallback(info.fallback);
    this.#tell((user) => user.engineChanged?.(info));
  }

  #tell(what: (user: ModelUser) => void): void {
    for (const user of this.#listeners.values()) what(user);
  }
}
