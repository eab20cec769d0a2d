/** Opens a model that `write.ts` has written: its graph at once, its weights one at a time from the disk. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeModel, type DecodedGraph } from './decode.ts';
import { fromHalfBytes } from './half.ts';
import type { TensorProto } from './proto.ts';
import { elements } from './weight.ts';
import { HALF, WEIGHTS_FILE } from './write.ts';

export interface OpenModel extends DecodedGraph {
  /** Floating-point weights by the name that the graph's operators have for them: shape, and whether they are halves. */
  weights: ReadonlyMap<string, { shape: readonly number[]; isHalf: boolean }>;
  /**
   * The values of a weight.
   * @throws Error where there is none of that name, or the file ends before it does
   */
  readFloat32(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens `model.onnx` and `model.onnx.data` in `folder`.
 * @throws RangeError where the former is no such file, and file system errors
 */
export async function openModel(folder: string): Promise<OpenModel> {
  const graph = decodeModel(await readFile(join(folder, 'model.onnx')));
  const tensors = new Map<string, TensorProto>();
  for (const tensor of graph.initializers) {
    if (tensor.dataType === 'float32') tensors.set(tensor.name, tensor);
    else if (tensor.dataType === 'float16') tensors.set(tensor.name.slice(0, -HALF.length), tensor);
  }
  const file = await open(join(folder, WEIGHTS_FILE));

  const bytesOf = async ({ name, data }: TensorProto): Promise<Uint8Array> => {
    if (data instanceof Uint8Array) return new Uint8Array(data);
    const bytes = new Uint8Array(data.length);
    const { bytesRead } = await file.read(bytes, 0, data.length, data.offset);
    if (bytesRead !== data.length) throw new Error(`${WEIGHTS_FILE} ends before ${name}`);
    return bytes;
  };
  return {
    ...graph,
    weights: new Map(
      [...tensors].map(([name, { dims, dataType }]) => [
        name,
        { shape: dims, isHalf: dataType === 'float16' },
      ]),
    ),
    async readFloat32(name) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new Error(`There is no weight ${name}`);
      const bytes = await bytesOf(tensor);
      const values = tensor.dataType === 'float16' ? fromHalfBytes(bytes) : new Float32Array(bytes.buffer);
      if (values.length !== elements(tensor.dims))
        throw new Error(`${name} does not have the values of its shape`);
      return values;
    },
    close: () => file.close(),
  };
}
