/**
 * Whether the native modules, and what stands in for one, load: tried in a process of its own, as one that does not
 * fit may end its process.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type End, startChild } from '../child-process.ts';
import { NO_TELEMETRY } from '../engine/child/runtime.ts';
import { bundledModelFolder, entryPoint, packageRoot } from '../paths.ts';

/** A module that has not answered by then never will, in milliseconds. */
const TIMEOUT = 60_000;

/** What came of loading a native module. */
export interface NativeModule {
  /** Null where it is not installed. */
  version: string | null;
  loads: boolean;
  /** Null where it loads and does its work. */
  problem: string | null;
}

/** onnxruntime-node, and what executes the network. */
export interface RuntimeModule extends NativeModule {
  /** What this build of onnxruntime could run on. */
  backends: string[];
  /** True where loading it fails with an error, and does not end the process: an engine can do without it. */
  dispensable: boolean;
}

export interface Probes {
  onnxruntime(): Promise<RuntimeModule>;
  /** onnxruntime's WebAssembly build, which is part of this package. */
  wasm(): Promise<NativeModule>;
  sharp(): Promise<NativeModule>;
}

/** Says that the module has loaded, with what it offers, and then puts it to work. */
interface Answer {
  loaded?: boolean;
  version?: string;
  backends?: string[];
  worked?: boolean;
  error?: string;
  /** True where the process ended before it could tell. */
  ended?: boolean;
}

/** Programs for `node -e`: the module's file and, for the runtime, a model's. */
const PROGRAMS = {
  onnxruntime: `
    Object.assign(process.env, ${JSON.stringify(NO_TELEMETRY)});
    const ort = require(process.argv[1]);
    tell({ loaded: true, backends: ort.listSupportedBackends().map(({ name }) => name) });
    const session = await ort.InferenceSession.create(process.argv[2], { logSeverityLevel: 3 });
    await session.run({ image: new ort.Tensor('uint8', new Uint8Array(64 * 64 * 3), [64, 64, 3]) });
    await session.release();`,
  wasm: `
    const ort = require(process.argv[1]);
    tell({ loaded: true, version: ort.env.versions.web });
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(process.argv[2], {
      executionProviders: ['wasm'],
      externalData: [{ path: 'model.onnx.data', data: process.argv[2] + '.data' }],
      logSeverityLevel: 3,
    });
    await session.run({ image: new ort.Tensor('uint8', new Uint8Array(64 * 64 * 3), [64, 64, 3]) });
    await session.release();`,
  sharp: `
    const sharp = require(process.argv[1]);
    tell({ loaded: true });
    const create = { width: 8, height: 8, channels: 3, background: 'red' };
    await sharp(await sharp({ create }).png().toBuffer()).raw().toBuffer();`,
};

const program = (body: string) => `
  const tell = (answer) => new Promise((sent) => process.send(answer, sent));
  const work = async () => {${body}
  };
  work()
    .then(() => ({ worked: true }), (error) => ({ error: String(error?.message ?? error) }))
    .then(tell)
    .then(() => process.disconnect());`;

export const probes: Probes = {
  async onnxruntime() {
    const found = await probe('onnxruntime-node', PROGRAMS.onnxruntime, [modelFile()]);
    const { backends = [], ended = false, ...module } = found;
    return { ...module, backends, dispensable: !module.loads && !ended };
  },
  async wasm() {
    const file = entryPoint('engine/child/wasm/runtime');
    const answer = await ask(program(PROGRAMS.wasm), file, [modelFile()]);
    return { version: answer.version ?? null, ...outcome(answer) };
  },
  async sharp() {
    const { version, loads, problem } = await probe('sharp', PROGRAMS.sharp, []);
    return { version, loads, problem };
  },
};

const modelFile = () => join(bundledModelFolder(), 'model.onnx');

async function probe(
  name: string,
  body: string,
  args: string[],
): Promise<NativeModule & Pick<Answer, 'backends' | 'ended'>> {
  let file: string;
  try {
    file = createRequire(join(packageRoot(), 'package.json')).resolve(name);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    const missing = (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    return { version: null, loads: false, problem: missing ? 'it is not installed' : (reason ?? '') };
  }
  const answer = await ask(program(body), file, args);
  const { backends, ended } = answer;
  return { version: versionOf(name, file), ...outcome(answer), backends, ended };
}

function outcome({
  loaded = false,
  worked = false,
  error = 'no answer',
}: Answer): Omit<NativeModule, 'version'> {
  const problem = `${loaded ? 'it loads, but fails' : 'it does not load'}: ${error}`;
  return { loads: loaded, problem: worked ? null : problem };
}

/** Everything that the program told, in one. Never rejects. */
async function ask(text: string, file: string, args: string[]): Promise<Answer> {
  let answer: Answer = {};
  try {
    const child = startChild('probe', file, { args, execArgv: ['-e', text], timeout: TIMEOUT });
    child.process.on('message', (message: Answer) => (answer = { ...answer, ...message }));
    const end = await child.ended;
    if (answer.worked || answer.error !== undefined) return oneLine(answer);
    return { ...answer, error: describeEnd(end), ended: true };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** Loaders' messages go on with stacks and advice. */
function oneLine(answer: Answer): Answer {
  const [error] = answer.error?.trim().split('\n') ?? [];
  return error === undefined ? answer : { ...answer, error };
}

function describeEnd({ code, signal, words }: End): string {
  const last = words.split('\n').at(-1)?.trim();
  const how = signal === null ? `its process exited with code ${code}` : `its process was ended by ${signal}`;
  return last === undefined || last === '' ? how : `${how} (${last})`;
}

/** The version in the module's package.json, which not every package lets others import. */
function versionOf(name: string, file: string): string | null {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
      if (found['name'] === name) return found['version'] ?? null;
    } catch {
      // The next folder above may have one.
    }
  }
  return null;
}
