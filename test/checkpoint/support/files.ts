/** Temporary checkpoint files, and what the specs ask of the errors about them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/checkpoint/index.ts';
import { M2fpError } from '../../../src/errors.ts';

export const FIXTURES = join(import.meta.dirname, '..', 'fixtures');

export interface Scratch {
  /** The path of a name in the folder. */
  path(name: string): string;
  /** Writes a file into the folder and gives its path. */
  write(content: Uint8Array | string, name?: string): string;
}

/** A folder that lives as long as the surrounding `describe`. */
export function scratchFolder(): Scratch {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-checkpoint-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  return {
    path: (name) => join(folder, name),
    write(content, name = 'pytorch_model.pt') {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
  };
}

/** Checks that `error` is M2FP_CHECKPOINT_INVALID with a message that matches all `patterns`. */
export function isInvalid(...patterns: RegExp[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof M2fpError, `not an M2fpError: ${String(error)}`);
    assert.equal(error.code, 'M2FP_CHECKPOINT_INVALID');
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  };
}

/** All tensors of a checkpoint file: name to float32 values. */
export async function readAll(path: string): Promise<Map<string, Float32Array>> {
  const checkpoint = await openCheckpoint(path);
  try {
    const values = new Map<string, Float32Array>();
    for (const name of checkpoint.tensors.keys()) values.set(name, await checkpoint.readFloat32(name));
    return values;
  } finally {
    await checkpoint.close();
  }
}
