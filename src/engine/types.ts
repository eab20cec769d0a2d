/** One interface for every engine, whether its pictures are parsed by child processes here or by workers elsewhere. */
import type { SerializedError } from '../errors.ts';
import type { NetworkInput } from '../image/types.ts';
import type { ModelManifest } from '../m2fp/manifest.ts';
import type { ParseOptions, Parsing } from '../parsing/types.ts';

export interface EngineOptions {
  /** Folder of the converted model. */
  model: string;
  /** Threads of one inference; 0 = all cores, shared out among the processes. */
  threads?: number;
  /**
   * Child processes, each with a session of its own; 0 = as many as cores and memory allow. Each takes the memory of
   * a whole engine: onnxruntime maps the weights' file, but keeps its own copy of nearly all of it, laid out for speed
   * (of a full-size model's 262 MB, 13 MB stay mapped and shared; of the bundled one, 0.15 MB).
   */
  processes?: number;
  /** Requests that may wait in all; one more is refused with M2FP_BUSY. */
  maxQueue?: number;
  /** Milliseconds that one picture may run before its process is killed; 0 = no limit. */
  timeout?: number;
  /** Whether a blank picture is parsed before a process counts as ready: the first run of a session is slower. */
  warmUp?: boolean;
  /** Milliseconds without a request after which the processes end, until the next request; 0 = never. */
  idleUnload?: number;
  /**
   * MiB of resident memory that one process may take; one that takes more is replaced; 0 = no limit. Absent or null: what
   * the memory of the machine, or of the container, allows.
   */
  maxMemory?: number | null;
  /** MiB of results that are kept for equal pictures; 0 = none. */
  cacheSize?: number;
  /** Bytes that an encoded picture may have; default 32 MiB. */
  maxBytes?: number;
  /** Pixels that a picture may have; default 64 million, with ten bytes of memory each while it is decoded. */
  maxPixels?: number;
}

/** What happens to a request that cannot run at once. */
export type QueuePolicy = 'wait' | 'latest' | 'reject';

export interface QueueOptions {
  /**
   * `wait` (default): in line, M2FP_BUSY past the limit. `latest`: one waits for each lane and key, and a newer
   * one replaces it ({@link DroppedRequest}). `reject`: M2FP_BUSY unless a process is free.
   */
  policy?: QueuePolicy;
  /** Who asks, for example a node's id: lanes take turns, the one that was served longest ago first. */
  lane?: string;
  /** Requests of the lane that may wait; default 8. */
  limit?: number;
  /** For `latest`: requests with the same key replace each other, for example a camera's topic. */
  key?: string;
  /** Milliseconds that the request may wait; 0 = as long as it takes. */
  maxAge?: number;
  /** Higher goes first, before the lanes take turns; default 0. */
  priority?: number;
}

/**
 * What one picture may take: `timeout`, `maxBytes` and `maxPixels` of {@link EngineOptions}. What is absent is as the engine's
 * options say, which are those of whoever asked for the engine last.
 */
export type RequestLimits = Pick<EngineOptions, 'timeout' | 'maxBytes' | 'maxPixels'>;

/** Why a request was not run although nothing went wrong. */
export type DropReason = 'replaced' | 'expired';

/** Who asks, for the metrics. */
export interface RequestCaller {
  /** Name of the flow's node; its id where it has none. */
  node: string;
  /** The camera that the picture is of; absent where nobody said. */
  camera?: string;
}

export interface ParseRequest {
  /** An encoded picture, or what preprocess made of one. */
  image: Buffer | NetworkInput;
  options?: ParseOptions;
  queue?: QueueOptions;
  limits?: RequestLimits;
  caller?: RequestCaller;
  /** A warm-up or a check of the model, and nobody's picture: it does not count as a request. */
  trial?: boolean;
  /** Aborting drops a waiting request at once; a running one is abandoned. */
  signal?: AbortSignal;
}

export type EngineState = 'idle' | 'loading' | 'ready' | 'running' | 'failed' | 'closed';

/** One child process of an engine, or one of its workers on other machines. */
export interface ProcessInfo {
  /** The machine of a worker; absent for a process of this one. `pid` is of that machine. */
  host?: string;
  /** Null while it does not run. */
  pid: number | null;
  state: EngineState;
  /** Processes before it in its place that crashed or were killed. */
  restarts: number;
  /** Bytes of resident memory, as of its last answer; null while it does not run. */
  rss: number | null;
}

/** How full a cache is; bytes. */
export interface CacheInfo {
  entries: number;
  bytes: number;
  limit: number;
}

/** What is wrong with the Redis on the way to workers: it is not there, or takes no changes. */
export interface Disconnection {
  code: 'redis-lost' | 'redis-refuses';
  /** In words. */
  message: string;
}

export interface EngineInfo {
  state: EngineState;
  manifest: ModelManifest;
  /** 'cpu' (native) or 'wasm'. */
  provider: string;
  /** Why the provider is not the faster 'cpu', and what helps; null where it is, and before the first load. */
  fallback: string | null;
  /** Seconds the session took to load; null before. */
  loadSeconds: number | null;
  waiting: number;
  /** How many may wait in all. */
  maxQueue: number;
  /** How full the cache of results is; null where none are kept. */
  cache: CacheInfo | null;
  /** Pictures that processes work on, also those whose callers have given up. */
  running: number;
  /** Of one process. */
  threads: number;
  /** As many as the engine may have, started or not; of workers on other machines, those that live. */
  processes: ProcessInfo[];
  /** Id of the first process that runs, on its own machine; null while none does. */
  pid: number | null;
  /** Processes that replaced one which crashed or was killed, in all. */
  restarts: number;
  /** Why the state is `failed`; null in every other state. */
  failure: SerializedError | null;
  /** Why Redis, on the way to its workers, is not to be had; null where it is, and for processes of this machine. */
  disconnected: Disconnection | null;
  /** Milliseconds until it is tried by itself again; null where the state is not `failed`, or only a request helps. */
  retryIn: number | null;
}

/** Fired with every change of state or of the number of waiting requests. */
export type EngineListener = (info: EngineInfo) => void;

export interface Engine {
  /** Starts the process and loads the model; resolves when it is ready. Loading twice waits for the first. */
  load(): Promise<EngineInfo>;
  /** Throws M2fpError: BUSY, TIMEOUT, CANCELLED, ENGINE_CRASHED, BAD_IMAGE and the like. */
  parse(request: ParseRequest): Promise<Parsing>;
  info(): EngineInfo;
  /** Returns the function that ends the subscription. */
  subscribe(listener: EngineListener): () => void;
  /**
   * Stops the processes when what was asked before has ended; what comes later waits, and starts them again. Nothing that
   * waits or runs is lost. Only a load that no picture waits for ends at once, with M2FP_CANCELLED.
   */
  unload(): Promise<void>;
  /** Starts the processes anew, without a loss: what was asked before has the old ones, what comes later the new ones. */
  restart(): Promise<EngineInfo>;
  /** Drops what waits here of a camera that sends to another engine from now on. */
  replaceOlder(queue: QueueOptions): void;
}
