/** One interface for every engine: a local pool of child processes now, remote workers later. */
import type { SerializedError } from '../errors.ts';
import type { NetworkInput } from '../image/types.ts';
import type { ModelManifest } from '../m2fp/manifest.ts';
import type { Parsing } from '../parsing/types.ts';

export interface EngineOptions {
  /** Folder of the converted model. */
  model: string;
  /** Threads of one inference; 0 = all cores. */
  threads?: number;
  /** Requests that may wait while one runs; one more is refused with M2FP_BUSY. */
  maxQueue?: number;
  /** Milliseconds that one picture may run before its process is killed; 0 = no limit. */
  timeout?: number;
}

/** What the network's output is filtered and scaled by; absent = the model's own. */
export interface ParseOptions {
  /** Sizes for a `short-side` model, pixels. */
  shortSide?: number;
  longSide?: number;
  /**
   * 0.1 to 1: parts and persons below it are left out, and the label map shows all that reach it. Absent:
   * ModelScope's rules (parts and persons from 0.1, the label map from the model's own threshold).
   */
  scoreThreshold?: number;
}

export interface ParseRequest {
  /** An encoded picture, or what preprocess made of one. */
  image: Buffer | NetworkInput;
  options?: ParseOptions;
  /** Aborting drops a waiting request at once; a running one is abandoned. */
  signal?: AbortSignal;
}

export type EngineState = 'idle' | 'loading' | 'ready' | 'running' | 'failed' | 'closed';

export interface EngineInfo {
  state: EngineState;
  manifest: ModelManifest;
  /** 'cpu' (native) or 'wasm'. */
  provider: string;
  /** Seconds the session took to load; null before. */
  loadSeconds: number | null;
  waiting: number;
  threads: number;
  /** Process id of the child, null while none runs. */
  pid: number | null;
  /** Processes that replaced one which crashed or was killed for a time limit. */
  restarts: number;
  /** Why the state is `failed`; null in every other state. */
  failure: SerializedError | null;
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
  /** Stops the process; it starts again with the next load or parse. */
  unload(): Promise<void>;
}
