/** Writes a graph as `model.onnx` with its weights in `model.onnx.data` beside it. */
import { createHash } from 'node:crypto';
import { open, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Graph } from './graph.ts';
import { toHalfBytes } from './half.ts';
import { IR_VERSIONS } from './opset.ts';
import { encodeModel, type NodeProto, type TensorProto } from './proto.ts';
import { elements } from './weight.ts';

/** Smaller tensors stand in the graph file itself: a page of the external file costs more than they do. */
const EXTERNAL_FROM_BYTES = 1024;
const ALIGNMENT = 64;

/** The file that holds the weights, beside `model.onnx`. */
export const WEIGHTS_FILE = 'model.onnx.data';
/** What follows a weight's name in that of its halves. */
export const HALF = '.half';

export interface WriteOptions {
  /** `fp16` stores matrices and kernels as halves, which the graph casts back: half the size on disk. */
  precision: 'fp32' | 'fp16';
  producer: { name: string; version: string };
  /** Called after each tensor with the share of all weights that is written, 0 to 1. */
  onProgress?: (share: number) => void;
}

export interface WrittenFile {
  size: number;
  sha256: string;
}

/**
 * Writes `model.onnx` and `model.onnx.data` into `folder`, replacing what is there. One tensor at a time is
 * in memory.
 * @throws what a weight's `load` throws, and file system errors
 */
export async function writeModel(
  graph: Graph,
  folder: string,
  { precision, producer, onProgress }: WriteOptions,
): Promise<Record<'model.onnx' | 'model.onnx.data', WrittenFile>> {
  const location = WEIGHTS_FILE;
  const data = await ExternalData.create(join(folder, location), location);
  const initializers: TensorProto[] = [];
  const casts: NodeProto[] = [];
  try {
    const total = graph.initializers.reduce(
      (sum, item) => sum + (item.dataType === 'int64' ? 0 : elements(item.weight.shape)),
      0,
    );
    let done = 0;
    for (const item of graph.initializers) {
      if (item.dataType === 'int64') {
        const bytes = new Uint8Array(BigInt64Array.from(item.values, BigInt).buffer);
        initializers.push({ name: item.name, dataType: 'int64', dims: item.shape, data: bytes });
        continue;
      }
      const { shape } = item.weight;
      if (item.dataType !== 'float32') {
        const integers = await item.weight.load();
        const bytes = new Uint8Array(integers.buffer, integers.byteOffset, integers.byteLength);
        initializers.push({
          name: item.name,
          dataType: item.dataType,
          dims: shape,
          data: await data.store(bytes),
        });
        done += integers.length;
        onProgress?.(done / total);
        continue;
      }
      const values = await item.weight.load();
      if (values.length !== elements(shape)) {
        throw new Error(
          `${item.name} has ${values.length} values, its shape [${shape.join()}] wants another number`,
        );
      }
      // Vectors (biases, norms) are a thousandth of the size and the most sensitive to rounding.
      const half = precision === 'fp16' && shape.filter((dim) => dim > 1).length > 1;
      const bytes = half
        ? toHalfBytes(values)
        : new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      const stored = half ? item.name + HALF : item.name;
      if (half) {
        const attributes = { to: 1 };
        casts.push({
          name: `${item.name}.cast`,
          opType: 'Cast',
          inputs: [stored],
          outputs: [item.name],
          attributes,
        });
      }
      initializers.push({
        name: stored,
        dataType: half ? 'float16' : 'float32',
        dims: shape,
        data: await data.store(bytes),
      });
      done += values.length;
      onProgress?.(done / total);
    }
  } finally {
    await data.close();
  }
  const model = encodeModel({
    irVersion: IR_VERSIONS[graph.opset],
    opset: graph.opset,
    producer,
    graph: { name: 'm2fp', ...graph, nodes: [...casts, ...graph.nodes], initializers },
  });
  await writeFile(join(folder, 'model.onnx'), model);
  return {
    'model.onnx': { size: model.length, sha256: createHash('sha256').update(model).digest('hex') },
    [location]: data.written(),
  };
}

/** The file that holds the weights: appended to, hashed on the way. */
class ExternalData {
  readonly #file: FileHandle;
  readonly #location: string;
  readonly #hash = createHash('sha256');
  #size = 0;

  private constructor(file: FileHandle, location: string) {
    this.#file = file;
    this.#location = location;
  }

  static async create(path: string, location: string): Promise<ExternalData> {
    return new ExternalData(await open(path, 'w'), location);
  }

  /** Where `bytes` are kept: here, or small ones as they are. */
  async store(bytes: Uint8Array): Promise<TensorProto['data']> {
    return bytes.length < EXTERNAL_FROM_BYTES ? bytes.slice() : await this.#append(bytes);
  }

  async #append(bytes: Uint8Array): Promise<{ location: string; offset: number; length: number }> {
    const gap = (ALIGNMENT - (this.#size % ALIGNMENT)) % ALIGNMENT;
    if (gap > 0) await this.#write(new Uint8Array(gap));
    const offset = this.#size;
    await this.#write(bytes);
    return { location: this.#location, offset, length: bytes.length };
  }

  async close(): Promise<void> {
    try {
      await this.#file.sync();
    } finally {
      await this.#file.close();
    }
  }

  written(): WrittenFile {
    return { size: this.#size, sha256: this.#hash.copy().digest('hex') };
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#file.appendFile(bytes);
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }
}
