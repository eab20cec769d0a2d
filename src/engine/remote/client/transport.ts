/**
 * What a remote engine needs of the way to its workers. BullMQ on Redis is one such way (`bull-link.ts`); tests have one
 * in memory.
 */
import type { M2fpError } from '../../../errors.ts';
import type { NetworkInput } from '../../../image/types.ts';
import type { ModelManifest } from '../../../m2fp/manifest.ts';
import type { ChildParsing } from '../../protocol.ts';
import type { ParseOptions } from '../../../parsing/types.ts';
import type { AskedModel } from './answer-fit.ts';

/** Where workers are found. */
export interface WorkerAddress {
  /** `redis://HOST:PORT/DB`, `rediss://…` with TLS; without name and password, which are below. */
  url: string;
  /** Blank: none. */
  username: string;
  password: string;
  /** Name of the workers' queue, letters, digits, `.`, `_` and `-`. All workers of a queue have the same model. */
  queue: string;
}

/** What a worker tells of itself, again and again while it lives; plain JSON. */
export interface WorkerFacts {
  /** Made anew whenever a worker starts. */
  id: string;
  host: string;
  pid: number;
  /** Of this package. */
  version: string;
  manifest: ModelManifest;
  /** 'cpu' (native) or 'wasm'. */
  provider: string;
  /** Why the provider is not the faster 'cpu'; null where it is. */
  fallback: string | null;
  /** Of one inference. */
  threads: number;
  /** Pictures that it parses at the same time, at least 1. */
  slots: number;
  /** Seconds that loading the model took; null where it is not loaded yet. */
  loadSeconds: number | null;
  /** Bytes of resident memory of its processes together; null where its system does not tell. */
  rss: number | null;
}

/** What a worker is given. */
export interface RemoteRequest {
  /** Of the model that it is meant for: a worker that has another one refuses it with `M2FP_MODEL_INVALID`. */
  digest: string;
  /** An encoded picture, or network input whose `source.image` was left out (empty). */
  image: Buffer | NetworkInput;
  options: ParseOptions;
  /** A warm-up or a check, which the worker does not count either; absent for pictures of somebody. */
  trial?: true;
}

/** What is known of the answer before it comes. */
export interface AnswerTerms {
  /** Of the picture: about a larger one, no parsing is taken. */
  maxPixels?: number;
  /** That was asked. */
  model?: AskedModel;
}

export interface WorkerTransport {
  /**
   * Connects, and has asked who works when it resolves; where it is open already, nothing happens. From then on it
   * comes back by itself whenever the connection is lost.
   * @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` where nobody answers at the address, or it refuses the password
   */
  open(): Promise<void>;
  /** Those who have told of themselves within the last seconds; empty while there is no connection. */
  readonly workers: readonly WorkerFacts[];
  /**
   * Milliseconds since a worker has last told of itself: one that dies is among `workers` for a while yet. 0 where nobody
   * ever has.
   */
  readonly silentFor: number;
  /** What is wrong with the connection; null where nothing is, and before `open`. */
  readonly failure: M2fpError | null;
  /**
   * Has a worker parse a picture. Of a worker that dies over it the request goes to another one, once; a lost connection is
   * waited for, and the request sent anew where it was lost with it.
   * @param terms what the answer must keep to
   * @param signal aborting takes the request back, from a worker that is at it too, and rejects with the signal's reason
   * @throws {M2fpError} what the worker's engine threw; `M2FP_ENGINE_CRASHED` where two workers died over it;
   *   `M2FP_ENGINE_UNAVAILABLE` where it cannot be kept on the way, or its answer not be read, or contradicts the request
   */
  submit(request: RemoteRequest, signal: AbortSignal, terms?: AnswerTerms): Promise<ChildParsing>;
  /** Called after every change of `workers` and `failure`. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void;
  /**
   * Ends the connection, also one that is just being made: what was submitted, and an `open` under way, rejects with
   * `M2FP_CANCELLED`. Where it is closed already, nothing happens. It may be opened again.
   */
  close(): Promise<void>;
}

/** Makes the link to an address; connects nothing yet. */
export type TransportFactory = (address: WorkerAddress) => WorkerTransport;
