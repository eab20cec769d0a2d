/** What the other nodes see of the config node `m2fp-model`. */
import type { Node, NodeAPI } from 'node-red';
import type { WorkerAddress, WorkerFacts } from '../../src/engine/remote/client/transport.ts';
import type { Engine, EngineInfo, EngineState, RequestLimits } from '../../src/engine/types.ts';
import type { ParseOptions } from '../../src/parsing/types.ts';
import { M2fpError } from '../../src/errors.ts';
import type { ImageLimits } from '../../src/image/types.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import type { LocalSource } from '../../src/store/local.ts';
import type { PullOptions } from '../../src/store/pull.ts';
import { SharedListener } from './shared-listener.ts';

/** A model that is pulled into a store when it is first needed. */
export interface PublishedModel extends Required<
  Pick<PullOptions, 'id' | 'revision' | 'precision' | 'baseUrl' | 'root'>
> {
  /** The folder of pictures that an int8 model is made with; absent: the drawn scenes of the package. */
  pictures?: string;
}

/** Whether the model's files are on this machine. */
export type ModelPresence =
  /** `checkpoint`: it lies on this machine, but not converted yet. `failure`: what the last try to get it threw. */
  | { state: 'absent'; checkpoint?: true; failure?: unknown }
  | { state: 'pulling'; progress: PullProgress }
  | { state: 'present' };

/** Where workers are looked for; how they let one in is not told. */
export interface RemotePlace {
  url: string;
  queue: string;
}

/** Where a model comes from and where it lies. */
export interface ModelPlace {
  source: 'bundled' | 'folder' | 'modelscope' | 'remote';
  /** Of the converted model, also where it is not there yet; null for `remote`. */
  folder: string | null;
  /** For `modelscope`. */
  published?: PublishedModel;
  /** For `folder`, where that holds a checkpoint and no converted model, or a float model that is to become int8. */
  checkpoint?: LocalSource;
  /** For `remote`. */
  remote?: RemotePlace;
  /** Always `present` for `remote`: nothing has to be here. */
  presence: ModelPresence;
  /** What the last try to have its engine threw; absent where it did not, and before the first. */
  failure?: unknown;
  /** Milliseconds until what failed, the engine or the download, is tried again by itself; absent where it is not. */
  retryIn?: number;
  /** What its own engine does; absent while it has none. */
  engine?: EngineState;
}

/** What a node that uses a model is told. */
export interface ModelUser {
  /** The engine's state, or the number of its waiting pictures, is another. */
  engineChanged?(info: EngineInfo): void;
  /** A published model is not there yet, is being pulled, or has come. */
  presenceChanged(presence: ModelPresence): void;
  /** The configuration, or the model's folder, is wrong, the model could not be pulled, or no worker was reached. */
  modelFailed(error: unknown): void;
}

/** What Node-RED keeps apart from flows. */
export interface RedisCredentials {
  redisUsername?: string;
  redisPassword?: string;
}

/** `credentials` is undefined where none were ever entered. */
export interface ModelNode extends Node<RedisCredentials> {
  /** The nodes that use it, by id: Node-RED hands errors of config nodes on to them. */
  users: Record<string, Node>;
  register(node: Node, user: ModelUser): void;
  /** Gives up the pull that no message waits for any more. */
  deregister(node: Node): void;
  /** True while the model is being pulled or converted, or workers are looked for, and there is no engine yet. */
  isComing(): boolean;
  /** The input sizes that the form sets. */
  parseOptions(): ParseOptions;
  /** What a picture may have of bytes and pixels. */
  limits(): ImageLimits;
  /** What each of the node's pictures may take, whatever others who share the engine allow theirs. */
  requestLimits(): RequestLimits;
  /** Where its workers are found, and how they let one in; undefined for a model of this machine. */
  workerAddress(): WorkerAddress | undefined;
  /** Where the model comes from and lies; pulls and loads nothing. */
  place(): Promise<ModelPlace>;
  /**
   * Waits until the model's files are there, and pulls a published one or converts a checkpoint; so do
   * {@link manifest} and {@link engine}.
   * Aborting ends the waiting, with the signal's reason.
   * @throws {M2fpError} `M2FP_BUSY` where as many wait for the pull as may; what `pullModel` and `convertLocal`
   *   throw
   */
  present(signal?: AbortSignal): Promise<void>;
  /** Where the model's files have come by other hands, lets the nodes know. Pulls nothing; never rejects. */
  lookAgain(): Promise<void>;
  /** The model's facts from its folder, or from the workers that have it: nothing is loaded. */
  manifest(signal?: AbortSignal): Promise<ModelManifest>;
  /** The engine that all nodes share; it loads the model when told to, or with its first picture. */
  engine(signal?: AbortSignal): Promise<Engine>;
  /**
   * Reads the folder anew, or asks the workers, and loads what is there, without a loss: what waits or runs ends as if
   * nothing had happened, and where the model cannot be had, its engine goes on as it was.
   */
  reload(signal?: AbortSignal): Promise<void>;
  /** The workers that are there; undefined for a model of this machine. */
  workers(signal?: AbortSignal): Promise<readonly WorkerFacts[] | undefined>;
  /** Pictures that its engine parses at once; 1 while it has none. */
  atOnce(): number;
  /** Gives the engine back and forgets the manifest; gives up a pull. */
  forget(): Promise<void>;
}

/** A node's tie to its config node. */
export interface ModelLink {
  /** Whether there is the model that is chosen. */
  isThere(): boolean;
  /** @throws {M2fpError} `M2FP_MODEL_NOT_FOUND` where the model that is chosen is disabled, or gone */
  model(): ModelNode;
  /** To be called when the node closes. */
  close(): void;
}

/** Makes the model of the nodes for which none is chosen. */
let makeBundled: (() => ModelNode) | undefined;

/** To be called by the set of the config node, which alone knows how a model is made. */
export function offerBundledModel(make: () => ModelNode): void {
  makeBundled = make;
}

/** The models of the flows that run: those of config nodes, and the bundled one where nodes use it without one. */
export function deployedModels(RED: NodeAPI): ModelNode[] {
  const found: ModelNode[] = [];
  RED.nodes.eachNode(({ id }) => {
    const model = modelNode(RED, id);
    if (model) found.push(model);
  });
  const bundled = makeBundled?.();
  if (bundled && Object.keys(bundled.users).length > 0) found.push(bundled);
  return found;
}

const flowsStarted = new SharedListener('flows:started');

/** The nodes that run and whose model is disabled, or was deleted, with the id that they name. */
const unlinked = new Map<Node, string>();

/** The models that nodes name and that are not there, with those nodes. */
export function missingModels(): Map<string, Node[]> {
  const found = new Map<string, Node[]>();
  for (const [node, id] of unlinked) found.set(id, [...(found.get(id) ?? []), node]);
  return found;
}

/** The deployed config node; undefined for what is none, or is disabled. */
export function modelNode(RED: NodeAPI, id: unknown): ModelNode | undefined {
  const node = typeof id === 'string' ? (RED.nodes.getNode(id) as Partial<ModelNode> | null) : null;
  return node?.type === 'm2fp-model' && typeof node.place === 'function' ? (node as ModelNode) : undefined;
}

/** The deployed config node; the bundled model where none is chosen. */
export function chosenModel(RED: NodeAPI, id: string | undefined): ModelNode | undefined {
  return id ? modelNode(RED, id) : makeBundled?.();
}

/** The models of the nodes that run. */
const links = new WeakMap<Node, ModelLink>();

/** The model that `node` uses; undefined where it is not there, and for a node that uses none. */
export function modelOf(node: Node): ModelNode | undefined {
  const link = links.get(node);
  return link?.isThere() ? link.model() : undefined;
}

/** Ties `node` to the config node `id`; to the bundled model where that is blank, or absent. */
export function linkModel(RED: NodeAPI, node: Node, id: string | undefined, user: ModelUser): ModelLink {
  const link = createLink(RED, node, id, user);
  links.set(node, link);
  return link;
}

function createLink(RED: NodeAPI, node: Node, id: string | undefined, user: ModelUser): ModelLink {
  const model = chosenModel(RED, id);
  if (model === undefined) {
    const missing = (): M2fpError =>
      new M2fpError(
        'M2FP_MODEL_NOT_FOUND',
        'The model that is chosen is disabled, or was deleted: open this node and choose another one, or none, ' +
          'which means the bundled one.',
      );
    user.modelFailed(missing());
    unlinked.set(node, String(id));
    let found: ModelNode | undefined;
    // It may be put back by a deploy that leaves this node as it is.
    let stopWaiting = (): void => {};
    const find = (): void => {
      found = modelNode(RED, id);
      if (found === undefined) {
        stopWaiting = flowsStarted.add(RED.events, find);
        return;
      }
      unlinked.delete(node);
      found.register(node, user);
    };
    stopWaiting = flowsStarted.add(RED.events, find);
    return {
      isThere: () => found !== undefined,
      model() {
        if (found === undefined) throw missing();
        return found;
      },
      close() {
        stopWaiting();
        unlinked.delete(node);
        found?.deregister(node);
      },
    };
  }
  model.register(node, user);
  return { isThere: () => true, model: () => model, close: () => model.deregister(node) };
}
