/** How much faster int8 is than float32 on this machine: measured once, in a process of its own, within a few seconds. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { M2fpError } from '../errors.ts';
import type { Int8Speed } from '../m2fp/int8-speed.ts';
import { entryPoint } from '../paths.ts';
import { int8Instructions, processorFacts } from '../processor.ts';
import { jobInProcess } from '../store/one-job.ts';
import { inPartialFolder } from '../store/partial.ts';
import { SingleFlight } from '../store/single-flight.ts';
import type { SpeedRun } from './speed-run.ts';

/** Milliseconds after which a machine is too busy, or too slow, to tell. */
const TIMEOUT = 60_000;
export interface Int8SpeedOptions {
  signal?: AbortSignal | undefined;
  /** The program to run instead of ours, for tests. */
  entry?: string;
  /** Milliseconds; for tests. */
  timeout?: number;
}

/** Measures, each time that it is called. @throws as {@link Int8SpeedGauge.measure} does */
export async function measureInt8Speed({
  signal,
  entry = entryPoint('quantize/speed-child'),
  timeout = TIMEOUT,
}: Int8SpeedOptions = {}): Promise<Int8Speed> {
  const limit = AbortSignal.timeout(timeout);
  try {
    const run = await inPartialFolder(join(tmpdir(), 'm2fp-int8-speed'), (folder) =>
      jobInProcess<{ out: string }, SpeedRun>(
        'process that measures int8',
        entry,
        { out: join(folder, 'networks') },
        { signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) },
      ),
    );
    const instructions = run.provider === 'wasm' ? 'WebAssembly' : int8Instructions(await processorFacts());
    return { ...run, instructions };
  } catch (error) {
    if (!limit.aborted || signal?.aborted === true) throw error;
    const seconds = timeout / 1000;
    throw new M2fpError('M2FP_TIMEOUT', `The machine was too busy to measure int8 within ${seconds} seconds`);
  }
}

/** The result for all who ask, as long as this process lives. */
export class Int8SpeedGauge {
  readonly #measure: typeof measureInt8Speed;
  readonly #flights = new SingleFlight<Int8Speed, never>();
  #known: Int8Speed | undefined;

  constructor(measure = measureInt8Speed) {
    this.#measure = measure;
  }

  /** What was measured; undefined before that. */
  get known(): Int8Speed | undefined {
    return this.#known;
  }

  /**
   * Measures where nobody has. A failure is not kept.
   * @throws M2fpError M2FP_ENGINE_UNAVAILABLE without onnxruntime, M2FP_ENGINE_CRASHED, M2FP_TIMEOUT, M2FP_CANCELLED
   */
  async measure(signal?: AbortSignal): Promise<Int8Speed> {
    this.#known ??= await this.#flights.join('speed', (ending) => this.#measure({ signal: ending }), {
      ...(signal && { signal }),
    });
    return this.#known;
  }
}

/** That of this process. */
export const int8Speed = new Int8SpeedGauge();
