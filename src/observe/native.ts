/** Whether the native modules load: tried in a process of its own, as one that does not fit may end its process. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bundledModelFolder, packageRoot } from '../paths.ts';

/** A module that has not answered by then never will, in milliseconds. */
const PATIENCE = 60_000;
/** Characters of a process's last words that are kept. */
const WORDS = 500;

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
}

export interface Probes {
  onnxruntime(): Promise<RuntimeModule>;
  sharp(): Promise<NativeModule>;
}

/** Says that the module has loaded, with what it offers, and then puts it to work. */
interface Answer {
  loaded?: true;
  backends?: string[];
  worked?: true;
  error?: string;
}

/** Programs for `node -e`: the module's file and, for the runtime, a model's. */
const PROGRAMS = {
  onnxruntime: `
    const ort = require(process.argv[1]);
    tell({ loaded: true, backends: ort.listSupportedBackends().map(({ name }) => name) });
    const session = await ort.InferenceSession.create(process.argv[2], { logSeverityLevel: 3 });
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
    const { backends = [], ...module } = await probe('onnxruntime-node', PROGRAMS.onnxruntime, [
      join(bundledModelFolder(), 'model.onnx'),
    ]);
    return { ...module, backends };
  },
  async sharp() {
    const { version, loads, problem } = await probe('sharp', PROGRAMS.sharp, []);
    return { version, loads, problem };
  },
};

async function probe(
  name: string,
  body: string,
  args: string[],
): Promise<NativeModule & { backends?: string[] | undefined }> {
  let file: string;
  try {
    file = createRequire(join(packageRoot(), 'package.json')).resolve(name);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    const missing = (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    return { version: null, loads: false, problem: missing ? 'it is not installed' : (reason ?? '') };
  }
  const answer = await ask(program(body), [file, ...args]);
  const { loaded = false, worked = false, backends, error } = answer;
  return {
    version: versionOf(name, file),
    loads: loaded,
    problem: worked
      ? null
      : `${loaded ? 'it loads, but fails' : 'it does not load'}: ${error ?? 'no answer'}`,
    backends,
  };
}

/** Everything that the program told, in one. */
function ask(text: string, args: string[]): Promise<Answer> {
  return new Promise((resolve) => {
    let answer: Answer = {};
    let words = '';
    const child = spawn(process.execPath, ['-e', text, ...args], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      timeout: PATIENCE,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
    child.on('message', (message: Answer) => (answer = { ...answer, ...message }));
    child.stderr?.setEncoding('utf8').on('data', (part: string) => (words = (words + part).slice(-WORDS)));
    child.on('error', (error) => resolve({ error: error.message }));
    child.on('close', (code, signal) => {
      if (answer.worked || answer.error !== undefined) resolve(oneLine(answer));
      else resolve({ ...answer, error: end(code, signal, words) });
    });
  });
}

/** Loaders' messages go on with stacks and advice. */
function oneLine(answer: Answer): Answer {
  const [error] = answer.error?.trim().split('\n') ?? [];
  return error === undefined ? answer : { ...answer, error };
}

function end(code: number | null, signal: NodeJS.Signals | null, words: string): string {
  const last = words.trim().split('\n').at(-1)?.trim();
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
