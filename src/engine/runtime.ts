/** The one door to onnxruntime-node: a native module, so it is loaded at first use and never at import. */
import type * as ort from 'onnxruntime-node';
import { M2fpError } from '../errors.ts';
import { describeRuntime } from '../image/sharp.ts';

export type Runtime = typeof ort;

const OURS = '@m2fp/node-red-human-parsing';

/** What keeps onnxruntime-node from loading, and what helps. */
function explain(error: unknown, runtime: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_MODULE_NOT_FOUND' || /Cannot find (module|package) 'onnxruntime-node'/.test(message)) {
    return (
      'it is not installed, most likely because its install script could not download and npm then left out the ' +
      `optional dependency. Run "ONNXRUNTIME_NODE_INSTALL=skip npm install ${OURS}" in the folder where this package ` +
      'is installed (for Node-RED, the user directory), then restart.'
    );
  }
  if (runtime.includes('musl')) {
    return (
      'its binaries need glibc, and this system (Alpine) has musl. Use an image on Debian, for example ' +
      'nodered/node-red:latest-debian.'
    );
  }
  if (code === 'MODULE_NOT_FOUND' && message.includes('onnxruntime_binding.node')) {
    return (
      'it has no binary for this platform. There are binaries for Linux (glibc 2.28 or newer) and Windows on x64 and ' +
      'arm64, and for macOS on arm64.'
    );
  }
  const [reason] = message.split('\n');
  return (
    `${reason}. It needs glibc 2.28 or newer on Linux, and to be installed on the kind of machine that runs it: ` +
    `install ${OURS} again, then restart.`
  );
}

/**
 * onnxruntime-node. `load` is for tests.
 *
 * @throws M2FP_ENGINE_UNAVAILABLE where it is missing or its binary does not fit; names the platform and the fix
 */
export async function loadRuntime(
  load: () => Promise<Runtime> = () => import('onnxruntime-node'),
): Promise<Runtime> {
  try {
    return await load();
  } catch (error) {
    throw unavailable(error, describeRuntime());
  }
}

/** The error for `error`, thrown by the import on `runtime` (see `describeRuntime`). */
export function unavailable(error: unknown, runtime: string): M2fpError {
  return new M2fpError(
    'M2FP_ENGINE_UNAVAILABLE',
    `onnxruntime-node, which runs the model, does not load on ${runtime}: ${explain(error, runtime)}`,
    { cause: error },
  );
}
