/** Reads the golden cases: what the real M2FP code computed for two small random checkpoints. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..', 'golden');

export type Variant = 'multi' | 'single';

export interface GoldenTensor {
  dtype: string;
  shape: number[];
  /** float32 for float16 and float32 tensors, bytes for uint8. */
  data: Float32Array | Uint8Array;
}

export interface GoldenCase {
  name: string;
  kind: 'network' | 'pipeline';
  variant: Variant;
  /** `case.json` as it stands. */
  meta: {
    padded?: [number, number];
    min_max_size?: [number, number] | null;
    network_input_hw?: [number, number];
    padded_hw?: [number, number];
    labels?: string[];
    scores?: number[];
    num_parts?: number;
    num_humans?: number;
    category_ids?: number[];
    crop_box?: [number, number, number, number];
    'margin_to_0.1'?: number;
  };
  /** Throws where the case has no tensor of this name. */
  tensor(name: string): GoldenTensor;
}

/** The value of an IEEE 754 half. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function decode(dtype: string, bytes: Buffer): Float32Array | Uint8Array {
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  if (dtype === 'uint8') return new Uint8Array(copy);
  if (dtype === 'float32') return new Float32Array(copy);
  if (dtype === 'float16') return Float32Array.from(new Uint16Array(copy), halfToFloat);
  throw new Error(`golden tensor of unknown dtype ${dtype}`);
}

/** The folder of a variant: `configuration.json` and `pytorch_model.pt`, as ModelScope saves them. */
export function goldenFolder(variant: Variant): string {
  return join(root, variant);
}

/** All cases of a variant, optionally of one kind only. */
export function goldenCases(variant: Variant, kind?: 'network' | 'pipeline'): GoldenCase[] {
  return readdirSync(goldenFolder(variant), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => {
      const folder = join(goldenFolder(variant), entry.name);
      const meta = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as GoldenCase['meta'] & {
        kind: 'network' | 'pipeline';
        tensors: Record<string, { file: string; dtype: string; shape: number[] }>;
      };
      return {
        name: entry.name,
        kind: meta.kind,
        variant,
        meta,
        tensor(name: string): GoldenTensor {
          const entryOf = meta.tensors[name];
          if (entryOf === undefined) throw new Error(`${variant}/${entry.name} has no tensor ${name}`);
          const { file, dtype, shape } = entryOf;
          return { dtype, shape, data: decode(dtype, gunzipSync(readFileSync(join(folder, file)))) };
        },
      };
    })
    .filter((item) => kind === undefined || item.kind === kind);
}
