/** What a config node keeps for the nodes that use it: one lease on the engine, the manifest, the users. */
import type { Node } from 'node-red';
import type { EngineLease } from '../../src/engine/index.ts';
import type { Engine, EngineInfo } from '../../src/engine/types.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { engines } from '../common/engines.ts';
import type { ModelUser } from '../common/model.ts';
import type { ModelSettings } from './settings.ts';

interface Lease {
  engine: Engine;
  release(): void;
}

export class ModelAccess {
  /** Registered nodes by id. */
  readonly users: Record<string, Node> = {};
  readonly #listeners = new Map<string, ModelUser>();
  readonly #settings: () => ModelSettings;
  #manifest: Promise<ModelManifest> | undefined;
  #lease: Promise<Lease> | undefined;
  #info: EngineInfo | undefined;

  /** @param settings throws where the configuration is wrong */
  constructor(settings: () => ModelSettings) {
    this.#settings = settings;
  }

  /** Tells `user` at once what is known of the engine, and of what is wrong with the model. */
  register(node: Node, user: ModelUser): void {
    this.users[node.id] = node;
    this.#listeners.set(node.id, user);
    if (this.#info) user.engineChanged?.(this.#info);
    this.manifest().catch((error: unknown) => this.#listeners.get(node.id)?.modelFailed(error));
  }

  deregister(node: Node): void {
    delete this.users[node.id];
    this.#listeners.delete(node.id);
  }

  async manifest(): Promise<ModelManifest> {
    const manifest = (this.#manifest ??= this.#readManifest());
    // A failure is not kept: the next message tries again.
    manifest.catch(() => {
      if (this.#manifest === manifest) this.#manifest = undefined;
    });
    return manifest;
  }

  async engine(): Promise<Engine> {
    const lease = (this.#lease ??= this.#acquire());
    lease.catch(() => {
      if (this.#lease === lease) this.#lease = undefined;
    });
    return (await lease).engine;
  }

  /** Gives the engine back, once, also one that is just being acquired. */
  async forget(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    this.#manifest = undefined;
    this.#info = undefined;
    await lease?.then(
      (taken) => taken.release(),
      // Whoever asked for the engine was told.
      () => {},
    );
  }

  async #readManifest(): Promise<ModelManifest> {
    return engines.readManifest(this.#settings().engine.model);
  }

  async #acquire(): Promise<Lease> {
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
    for (const user of this.#listeners.values()) user.engineChanged?.(info);
  }
}
