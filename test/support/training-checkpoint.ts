/**
 * A checkpoint as a trainer leaves it, of the shape of the published one: `model` with a golden checkpoint's weights, then
 * AdamW's two averages of every weight with storages of their own, a MultiStepLR with its Counter, and more of the
 * trainer's.
 */
import { join } from 'node:path';
import { openCheckpoint } from '../../src/checkpoint/index.ts';
import { goldenFolder, type Variant } from './golden.ts';
import {
  bytes,
  call,
  checkpointEntries,
  dict,
  FALSE,
  global,
  int,
  list,
  orderedDict,
  type Part,
  pickle,
  tensor,
  text,
  zip,
  type ZipEntry,
} from './pickle-writer.ts';

export interface TrainingCheckpoint {
  bytes: Buffer;
  /** Where the first of the optimizer's storages begins, and all weights have ended. */
  optimizerAt: number;
}

/** Strides of a contiguous tensor. */
const stridesOf = (shape: readonly number[]) =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));

/** @param change what becomes of the values of a tensor */
export async function trainingCheckpoint(
  variant: Variant,
  change: (name: string, values: Float32Array) => Float32Array = (_, values) => values,
): Promise<TrainingCheckpoint> {
  const source = await openCheckpoint(join(goldenFolder(variant), 'pytorch_model.pt'));
  const storages: Record<string, Uint8Array> = {};
  let key = 0;
  const store = (shape: readonly number[], values: Float32Array): Buffer => {
    storages[key] = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const size = { elements: values.length, shape: [...shape], strides: stridesOf(shape) };
    return tensor({ key: String(key++), ...size });
  };
  const weights: [Part, Part][] = [];
  const shapes: (readonly number[])[] = [];
  for (const { name, shape } of source.tensors.values()) {
    weights.push([text(name), store(shape, change(name, await source.readFloat32(name)))]);
    shapes.push(shape);
  }
  await source.close();
  const firstOfOptimizer = key;
  const averages = shapes.map((shape, index): [Part, Part] => {
    const size = shape.reduce((product, each) => product * each, 1);
    const average = (value: number) => store(shape, new Float32Array(size).fill(value));
    return [
      int(index),
      dict([text('step'), average(1)], [text('exp_avg'), average(2)], [text('exp_avg_sq'), average(3)]),
    ];
  });
  const group = dict([text('lr'), int(1)], [text('params'), list(...shapes.map((_, index) => int(index)))]);
  const object = dict(
    [text('model'), bytes(orderedDict(), '(', ...weights.flat(), 'u')],
    [text('optimizer'), dict([text('state'), dict(...averages)], [text('param_groups'), list(group)])],
    [
      text('scheduler'),
      dict([
        text('milestones'),
        call(global('collections', 'Counter'), dict([int(60_000), int(1)], [int(80_000), int(1)])),
      ]),
    ],
    [
      text('trainer'),
      dict([text('device'), call(global('torch', 'device'), text('cuda'))], [text('amp'), FALSE]),
    ],
    [text('iteration'), int(89_999)],
  );
  const entries: ZipEntry[] = checkpointEntries(pickle(object), storages);
  const file = zip(entries);
  const at = file.indexOf(`archive/data/${firstOfOptimizer}FB`, 0, 'latin1');
  return { bytes: file, optimizerAt: at };
}
