/**
 * The one door to onnxruntime: its native module, loaded at first use and never at import, or where that does not
 * load, the WebAssembly build that comes with this package.
 */
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as native from 'onnxruntime-node';
import { M2fpError } from '../../errors.ts';
import { describeRuntime } from '../../image/sharp.ts';
import { entryPoint, packageRoot } from '../../paths.ts';
import type * as wasm from './wasm/runtime.ts';

/** What both builds have. */
type Interface = Pick<typeof native, 'InferenceSession' | 'Tensor'>;

export interface Runtime extends Interface {
  /** Of onnxruntime's execution providers, the one that runs the graph. */
  readonly provider: 'cpu' | 'wasm';
  /** Why `cpu` is not there; null where it is. */
  readonly problem: M2fpError | null;
}

/** How to get at the two builds. */
export interface Loaders {
  native: () => Promise<Interface>;
  wasm: () => Promise<typeof wasm>;
}

/**
 * For the environment of a process before onnxruntime-node loads in it, which otherwise tells Microsoft of its sessions
 * (mobile.events.data.microsoft.com) and leaves files of that in the folder for temporary ones.
 */
export const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: '1' };

const loaders: Loaders = {
  native() {
    Object.assign(process.env, NO_TELEMETRY);
    return import('onnxruntime-node');
  },
  // Not bundled with the rest: it looks for its other files beside its own.
  wasm: async () => createRequire(import.meta.url)(entryPoint('engine/child/wasm/runtime')) as typeof wasm,
};

/** The WebAssembly build alone, to see what it does on a machine that has the native one. */
export const WASM_ONLY: Loaders = {
  ...loaders,
  native: () => Promise.reject(new Error('it was not asked for')),
};

/** Processor time compared with the native build, for the bundled model and for a full-size one. */
export const WASM_SPEED = 'gives the same results and is 6 to 10 times slower';

const OURS = '@m2fp/node-red-human-parsing';

/** What keeps onnxruntime-node from loading, and what helps. */
function explain(error: unknown, runtime: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (runtime.includes('musl')) {
    return (
      'its binaries need glibc, and this system (Alpine) has musl. Use an image on Debian, for example ' +
      'nodered/node-red:latest-debian.'
    );
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || /Cannot find (module|package) 'onnxruntime-node[/']/.test(message)) {
    return (
      'it is not installed: npm was told to omit optional dependencies, or its install script could not download and ' +
      `npm then left it out. Run "ONNXRUNTIME_NODE_INSTALL=skip npm install ${OURS} --include=optional" in the folder ` +
      'where this package is installed (for Node-RED, the user directory), then restart.'
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
 * onnxruntime for runs with `threads` threads. That the WebAssembly build works only shows with the first session:
 * see {@link lacksBackend}.
 *
 * @throws M2FP_ENGINE_UNAVAILABLE where neither build is there; names the platform and the fix
 */
export async function loadRuntime(threads: number, { native, wasm }: Loaders = loaders): Promise<Runtime> {
  let problem: M2fpError;
  try {
    const { InferenceSession, Tensor } = await native();
    return { provider: 'cpu', problem: null, InferenceSession, Tensor };
  } catch (error) {
    problem = unavailable(error, describeRuntime());
  }
  try {
    const { env, InferenceSession, Tensor } = await wasm();
    env.wasm.numThreads = threads;
    return { provider: 'wasm', problem, InferenceSession, Tensor };
  } catch (error) {
    throw withoutWasm(problem, error);
  }
}

/**
 * Why models will run on WebAssembly here, as far as that shows without loading anything: onnxruntime-node, or its binary
 * for this system, is not installed. Null where both are there, which may still fail to load.
 *
 * @param from a file, or a folder with a slash at its end, that onnxruntime-node is looked for from
 */
export function foreseenFallback(from = join(packageRoot(), 'package.json')): string | null {
  const { platform, arch } = process;
  let error: unknown = null;
  try {
    const folder = dirname(createRequire(from).resolve('onnxruntime-node/package.json'));
    const binaries = globSync(`bin/napi-v*/${platform}/${arch}/onnxruntime_binding.node`, { cwd: folder });
    if (binaries.length === 0) error = noBinary();
  } catch (reason) {
    error = reason;
  }
  return error === null ? null : fallbackWarning(unavailable(error, describeRuntime()));
}

function noBinary(): Error {
  return Object.assign(new Error('Cannot find onnxruntime_binding.node'), { code: 'MODULE_NOT_FOUND' });
}

/** True where `error`, thrown for the first session, says that the WebAssembly build itself does not load. */
export function lacksBackend(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('no available backend found');
}

/** What it means that the model runs on WebAssembly, with what helps. */
export function fallbackWarning(problem: M2fpError): string {
  return `The model runs on WebAssembly, which ${WASM_SPEED}. ${problem.message}`;
}

/** The error for `error`, thrown by the import on `runtime` (see `describeRuntime`). */
export function unavailable(error: unknown, runtime: string): M2fpError {
  return new M2fpError(
    'M2FP_ENGINE_UNAVAILABLE',
    `onnxruntime-node does not load on ${runtime}: ${explain(error, runtime)}`,
    { cause: error },
  );
}

/** The error where also the WebAssembly build does not load. */
export function withoutWasm(problem: M2fpError, error: unknown): M2fpError {
  const [reason] = String(error instanceof Error ? error.message : error).split('\n');
  return new M2fpError(
    'M2FP_ENGINE_UNAVAILABLE',
    `Nothing can run the model. ${problem.message} Its WebAssembly build, which this package brings, does not load ` +
      `either: ${reason}`,
    { cause: problem.cause },
  );
}
