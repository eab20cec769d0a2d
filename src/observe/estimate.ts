/** What a model will take on this machine, told before it is loaded. */
import { memoryNeeded } from '../engine/local/memory.ts';
import { type PoolSize, poolSize } from '../engine/local/sizing.ts';
import { graphFlops } from '../m2fp/flops.ts';
import { type Int8Origin, timesAsFast } from '../m2fp/int8-origin.ts';
import type { Int8Speed } from '../m2fp/int8-speed.ts';
import type { InputRule, ModelManifest } from '../m2fp/manifest.ts';
import type { Processor } from '../processor.ts';
import type { Platform } from './system.ts';

/** What the estimate needs of a model. */
export type ModelSize = Pick<ModelManifest, 'precision' | 'input' | 'hyperParameters'> & {
  files: { 'model.onnx.data': { size: number } };
  /** Of an int8 model that is there. */
  int8?: Int8Origin | undefined;
};

export interface MachineFacts {
  platform: Platform;
  processor: Processor;
  /** Bytes that programs can still take. */
  freeMemory: number;
  /** False where native onnxruntime is known to be missing, whatever the platform. */
  nativeRuntime?: boolean;
  /** How much faster int8 is than float32 here, where that was measured: of a full-size network. */
  int8Speed?: Pick<Int8Speed, 'ratio' | 'provider'> | undefined;
}

export interface Estimate extends PoolSize {
  /** Bytes of all processes together, after a few pictures. */
  memory: number;
  /** Bytes that are free now. */
  freeMemory: number;
  /** Of one picture of the model's own size. Right within a factor of about two. */
  seconds: number;
  /** What runs the network: WebAssembly where there is no native onnxruntime for the platform. */
  provider: 'cpu' | 'wasm';
}

/**
 * GFLOP/s of one thread. The first is measured (full-size network on an EPYC with AVX-512: 145 with two threads, 161
 * with one), the others follow from the width of the vectors.
 */
const SPEEDS = { avx512: 140, avx2: 70, neon: 25, other: 15 };
/**
 * WebAssembly, which gains little from a second thread, against a native thread: measured as 2/9 for a full-size model,
 * and as 1/9 for the bundled one (0.67 s of processor time for a picture of 624 x 416 pixels).
 */
const WASM_SHARE = 1 / 8;
/** Decoding, resizing and the work on the network's output. */
const SECONDS_AROUND = 0.05;
/** The longer side of a usual picture, by its shorter. */
const ASPECT = 1.5;
/** The network's input is padded to a multiple of it. */
const STRIDE = 32;

/** @param input the model's rule with the sizes that the user sets */
export function estimate(
  model: ModelSize,
  input: InputRule,
  pool: PoolSize,
  { platform, processor, freeMemory, nativeRuntime = true, int8Speed }: MachineFacts,
): Estimate {
  const sized = { ...model, input };
  const provider = nativeRuntime && hasNativeRuntime(platform) ? 'cpu' : 'wasm';
  const each = memoryNeeded(sized, provider);
  const { processes, threads } = poolSize(pool, each, { cores: processor.cores, freeMemory });
  const { width, height } = usualSize(input);
  const speed =
    provider === 'wasm'
      ? WASM_SHARE * speedOf(platform, processor)
      : Math.min(threads, processor.cores) * speedOf(platform, processor);
  const flops = graphFlops(model.hyperParameters, padded(height), padded(width));
  return {
    processes,
    threads,
    memory: processes * each,
    freeMemory,
    seconds: SECONDS_AROUND + flops / (speed * 1e9) / int8Ratio(model, { processor, provider }, int8Speed),
    provider,
  };
}

/**
 * How much faster than in float32: what the model's own report says, where that was measured on such a processor and on
 * what will run it here, as a small model gains less than a full-size one.
 */
function int8Ratio(
  { precision, int8 }: ModelSize,
  { processor, provider }: Pick<MachineFacts, 'processor'> & Pick<Estimate, 'provider'>,
  measured: MachineFacts['int8Speed'],
): number {
  if (precision !== 'int8') return 1;
  const machine = int8?.report?.machine;
  const isHere =
    machine !== undefined && machine.processor === processor.model && machine.provider === provider;
  if (isHere) return timesAsFast(int8!.report!);
  return measured?.provider === provider ? measured.ratio : 1;
}

/** Platforms of onnxruntime-node 1.30's binaries; on Linux they need glibc. */
function hasNativeRuntime({ system, arch, libc }: Platform): boolean {
  if (libc?.name === 'musl') return false;
  return system === 'darwin' ? arch === 'arm64' : arch === 'x64' || arch === 'arm64';
}

function speedOf({ arch }: Platform, { features }: Processor): number {
  // Where the system does not tell, it is a desktop of the last ten years.
  if (features === null) return SPEEDS.avx2;
  if (features.includes('avx512f')) return SPEEDS.avx512;
  if (features.includes('avx2')) return SPEEDS.avx2;
  return arch === 'arm64' ? SPEEDS.neon : SPEEDS.other;
}

function usualSize(rule: InputRule): { width: number; height: number } {
  if (rule.kind === 'canvas') return rule;
  return { width: Math.min(rule.shortSide * ASPECT, rule.longSide), height: rule.shortSide };
}

const padded = (side: number): number => Math.ceil(side / STRIDE) * STRIDE;
