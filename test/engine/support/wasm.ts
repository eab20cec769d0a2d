/** Engines on onnxruntime's WebAssembly build, on a machine that has the native one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Loaders } from '../../../src/engine/child/runtime.ts';
import { refusing, withPreload } from '../../observe/support/preload.ts';

/** What the native module's loader says. */
export const REFUSAL = 'no such binary';

/** For sessions in this process. */
export const WITHOUT_NATIVE: Loaders = {
  native: () => Promise.reject(new Error(REFUSAL)),
  wasm: () => import('../../../src/engine/child/wasm/runtime.ts'),
};

/** Makes the native module unloadable in all processes that the tests of the suite start. */
export function refuseNativeRuntime(): void {
  let folder = '';
  let saved: string | undefined;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-wasm-'));
    saved = process.env['NODE_OPTIONS'];
    const program = refusing('onnxruntime-node', `throw new Error('${REFUSAL}')`);
    Object.assign(process.env, withPreload(program, folder));
  });
  after(() => {
    if (saved === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = saved;
    rmSync(folder, { recursive: true });
  });
}
