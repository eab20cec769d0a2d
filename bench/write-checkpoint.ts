/** Writes a checkpoint file of the published model's size, random weights, as PyTorch writes it. */
import { writeFile } from 'node:fs/promises';
import { checkpointEntries, dict, pickle, tensor, text, zip } from '../test/support/pickle-writer.ts';
import { entryValues, FULL_SIZE, stateDictEntries } from './random-checkpoint.ts';

const storages: Record<string, Uint8Array> = {};
const tensors = [...stateDictEntries(FULL_SIZE)].map(([name, entry], index): [Buffer, Buffer] => {
  const key = String(index);
  const values = entryValues(name, entry);
  storages[key] = new Uint8Array(values.buffer);
  const strides = entry.shape.map((_, axis) => entry.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return [text(name), tensor({ key, elements: values.length, shape: entry.shape, strides })];
});
const [file] = process.argv.slice(2) as [string];
await writeFile(file, zip(checkpointEntries(pickle(dict([text('model'), dict(...tensors)])), storages)));
