/** How much faster int8 is than float32 on a machine. */

export interface Int8Speed {
  /** The time that float32 takes by that of int8. */
  ratio: number;
  /** What ran both. */
  provider: 'cpu' | 'wasm';
  threads: number;
  /** What int8 runs on, for example `AVX512-VNNI`; of WebAssembly, which sees less of the processor, `WebAssembly`. */
  instructions: string;
}

/** What is less is within what measuring it varies by. */
const LEAST_GAIN = 1.1;

/** Whether it is worth the small loss. */
export function isInt8Faster({ ratio }: Pick<Int8Speed, 'ratio'>): boolean {
  return ratio >= LEAST_GAIN;
}
