/** Facts about the processor at hand. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';

export interface Processor {
  model: string | null;
  /** Cores that this process may use. */
  cores: number;
  /** The instruction sets that matter here, in Linux's names; null where the system does not tell. */
  features: string[] | null;
}

/** What onnxruntime has kernels for. */
const FEATURES = new Set(
  'sse4_1 avx avx2 fma f16c avx_vnni avx512f avx512_vnni avx512_bf16 amx_int8 asimd asimdhp asimddp i8mm bf16 sve'.split(
    ' ',
  ),
);

/** What int8 is fastest with, the best first, by the names that people know. */
const INT8_INSTRUCTIONS: Readonly<Record<string, string>> = {
  avx512_vnni: 'AVX512-VNNI',
  avx_vnni: 'AVX-VNNI',
  avx512f: 'AVX512',
  avx2: 'AVX2',
  avx: 'AVX',
  i8mm: 'NEON-I8MM',
  asimddp: 'NEON-DOTPROD',
  asimd: 'NEON',
};

export async function processorFacts(cpuinfo = '/proc/cpuinfo'): Promise<Processor> {
  const text = await readFile(cpuinfo, 'utf8').catch(() => '');
  // x86 says "flags", Arm says "Features".
  const flags = /^(?:flags|Features)\s*:\s*(.+)$/m.exec(text)?.[1]?.split(/\s+/);
  const model = cpus()[0]?.model.trim();
  return {
    model: model === undefined || model === '' || model === 'unknown' ? null : model,
    cores: availableParallelism(),
    features: flags?.filter((flag) => FEATURES.has(flag)) ?? null,
  };
}

/** The best instruction set for int8, for example `AVX512-VNNI`; the architecture where nobody tells more. */
export function int8Instructions({ features }: Pick<Processor, 'features'>): string {
  const best = Object.keys(INT8_INSTRUCTIONS).find((feature) => features?.includes(feature));
  return best === undefined ? process.arch : INT8_INSTRUCTIONS[best]!;
}
