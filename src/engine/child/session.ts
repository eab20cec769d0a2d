/** A loaded graph: network input in, network output out. Blocks its thread while it loads and while it runs. */
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { M2fpError } from '../../errors.ts';
import type { NetworkInput } from '../../image/types.ts';
import type { NetworkOutput } from '../../parsing/index.ts';
import {
  fallbackWarning,
  lacksBackend,
  type Loaders,
  loadRuntime,
  type Runtime,
  withoutWasm,
} from './runtime.ts';

export interface Session {
  /** What executes the graph: 'cpu' or 'wasm'. */
  readonly provider: string;
  /** Why it is not the faster 'cpu', and what helps; null where it is. */
  readonly fallback: string | null;
  /**
   * Runs the graph once; the caller sees to it that runs do not overlap. `inferenceMs` is the run's own time.
   * Throws M2FP_ENGINE_CRASHED with onnxruntime's words where the run fails, mostly for lack of memory.
   */
  run(
    input: Pick<NetworkInput, 'width' | 'height' | 'data'>,
  ): Promise<NetworkOutput & { inferenceMs: number }>;
  close(): Promise<void>;
}

/** The graph's outputs, and what the rest of the program calls them; only a `single` model has the last. */
const OUTPUTS = { pred_logits: 'logits', pred_masks: 'masks', semantic: 'semantic' } as const;

const FILE = 'model.onnx';
const WEIGHTS = 'model.onnx.data';

const COMMON_OPTIONS: InferenceSession.SessionOptions = {
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  // A pattern is one block for all that a picture of a size needs: a quarter more memory in all, and not faster
  // (docs/performance.md).
  enableMemPattern: false,
  logSeverityLevel: 3,
};

/** Of onnxruntime-node. The benches use them, too. */
export function nativeOptions(threads: number): InferenceSession.SessionOptions {
  return {
    ...COMMON_OPTIONS,
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Threads that spin while they wait take the cores from Node-RED, for a gain of 1 to 2 % (bench/README.md).
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}

function optionsFor(provider: Runtime['provider'], model: string, threads: number) {
  if (provider === 'cpu') return nativeOptions(threads);
  return { ...COMMON_OPTIONS, executionProviders: ['wasm'], ...weightsFor(model) };
}

/** WebAssembly sees no files: they are handed over. */
function weightsFor(model: string): InferenceSession.SessionOptions {
  return { externalData: [{ path: WEIGHTS, data: join(model, WEIGHTS) }] };
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Loads `<model>/model.onnx`, and the weights in `model.onnx.data` beside it.
 *
 * @param threads of one run, at least 1
 * @throws M2FP_ENGINE_UNAVAILABLE without onnxruntime; M2FP_MODEL_INVALID where it refuses the model
 */
export async function openSession(model: string, threads: number, loaders?: Loaders): Promise<Session> {
  const { runtime, session } = await loadGraph(model, threads, loaders);
  return new GraphSession(runtime, session);
}

/**
 * The loaded graph itself, for whoever wants other outputs of it.
 * @throws as {@link openSession} does
 */
export async function loadGraph(
  model: string,
  threads: number,
  loaders?: Loaders,
): Promise<{ runtime: Runtime; session: InferenceSession }> {
  const runtime = await loadRuntime(threads, loaders);
  const file = join(model, FILE);
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(file, optionsFor(runtime.provider, model, threads));
  } catch (error) {
    if (runtime.problem !== null && lacksBackend(error)) throw withoutWasm(runtime.problem, error);
    throw new M2fpError('M2FP_MODEL_INVALID', `The model ${file} cannot be loaded: ${words(error)}`, {
      cause: error,
    });
  }
  if (!session.inputNames.includes('image')) {
    throw new M2fpError(
      'M2FP_MODEL_INVALID',
      `The model ${file} has no input "image": convert the checkpoint again.`,
    );
  }
  return { runtime, session };
}

class GraphSession implements Session {
  readonly provider: string;
  readonly fallback: string | null;
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;

  constructor(runtime: Runtime, session: InferenceSession) {
    this.provider = runtime.provider;
    this.fallback = runtime.problem && fallbackWarning(runtime.problem);
    this.#runtime = runtime;
    this.#session = session;
  }

  async run({
    width,
    height,
    data,
  }: Pick<NetworkInput, 'width' | 'height' | 'data'>): ReturnType<Session['run']> {
    const begun = performance.now();
    let results: InferenceSession.OnnxValueMapType;
    try {
      results = await this.#session.run({
        image: new this.#runtime.Tensor('uint8', data, [height, width, 3]),
      });
    } catch (error) {
      throw new M2fpError(
        'M2FP_ENGINE_CRASHED',
        `The network failed on an input of ${width} x ${height} pixels: ${words(error)}`,
        { cause: error },
      );
    }
    const inferenceMs = performance.now() - begun;
    const output: NetworkOutput & { inferenceMs: number } = { inferenceMs };
    for (const [name, key] of Object.entries(OUTPUTS)) {
      const result = results[name];
      if (result?.data instanceof Float32Array) output[key] = { data: result.data, dims: result.dims };
    }
    return output;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}
