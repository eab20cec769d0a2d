/** A real Node-RED in a process of its own, with the installed package and flows of the test's choice. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { installedPackage, root, temporaryFolder } from './installed-package.ts';

const require = createRequire(import.meta.url);

export const VERSIONS = ['node-red', 'node-red-4'] as const;
export type Version = (typeof VERSIONS)[number];

/** Another Node.js to run the built package with; the tests themselves need a newer one. */
const node = process.env['M2FP_TEST_NODE'] ?? process.execPath;

/** No outgoing connection, but for what a flow asks for. */
const SETTINGS = `module.exports = {
  flowFile: 'flows.json',
  credentialSecret: false,
  uiHost: '127.0.0.1',
  telemetry: { enabled: false, updateNotification: false },
  diagnostics: { enabled: false, ui: false },
  externalModules: {
    autoInstall: false,
    palette: { allowInstall: false, allowUpload: false, allowUpdate: false },
    modules: { allowInstall: false },
  },
  editorTheme: { tours: false, projects: { enabled: false }, palette: { catalogues: [] }, multiplayer: { enabled: false } },
};
// SIGUSR2 is how nodemon ends Node-RED.
if (process.platform !== 'win32') {
  require('node:v8').setFlagsFromString('--expose-gc');
  const collect = require('node:vm').runInNewContext('gc');
  let times = 0;
  process.on('SIGWINCH', () => {
    // As where memory is short: the room for new objects shrinks, too.
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    console.log('collected ' + ++times + '.');
  });
}
`;

export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** An example of the package, by its file name. */
export function example(name: string): FlowNode[] {
  return JSON.parse(readFileSync(join(root, 'examples', `${name}.json`), 'utf8')) as FlowNode[];
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** A node's status as the editor gets it. */
export interface Status {
  fill?: string;
  shape?: string;
  text?: string;
}

export class NodeRed {
  readonly url: string;
  readonly userDir: string;
  readonly #version: Version;
  #child!: ChildProcess;
  #log = '';
  #collections = 0;

  private constructor(url: string, userDir: string, version: Version) {
    this.url = url;
    this.userDir = userDir;
    this.#version = version;
  }

  /** Its process. */
  get child(): ChildProcess {
    return this.#child;
  }

  /** Starts its process; resolves when the flows run. */
  async #run(): Promise<void> {
    const program = require.resolve(`${this.#version}/red.js`);
    const { port } = new URL(this.url);
    const child = spawn(node, [program, '--userDir', this.userDir, '--port', port], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#log = '';
    this.#collections = 0;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
        child.emit('log');
      });
    }
    try {
      await this.logged('Started flows');
      // Sometimes the flows are first.
      await this.logged('Server now running');
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** Ends the process with `signal`, and starts another one that has the same files. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
    await this.#run();
  }

  /**
   * Resolves when the flows run.
   * @param flows what several examples share may be in it several times
   * @param settings for settings.js, on top of ours
   */
  static async start(version: Version, flows: FlowNode[], settings: object = {}): Promise<NodeRed> {
    const userDir = temporaryFolder('user');
    const { modules } = installedPackage();
    symlinkSync(modules, join(userDir, 'node_modules'), 'junction');
    cpSync(join(dirname(modules), 'package.json'), join(userDir, 'package.json'));
    const more = `Object.assign(module.exports, ${JSON.stringify(settings)});\n`;
    writeFileSync(join(userDir, 'settings.js'), SETTINGS + more);
    writeFileSync(
      join(userDir, 'flows.json'),
      JSON.stringify([...new Map(flows.map((each) => [each.id, each])).values()]),
    );
    // Node-RED shows its first tip a second after the editor has begun to load, and throws where a busy machine has not
    // made the place for it by then ("reading 'html'").
    const editor = { view: { 'view-show-tips': false } };
    writeFileSync(join(userDir, '.config.users.json'), JSON.stringify({ _: { editor } }));
    const port = await freePort();
    const nodeRed = new NodeRed(`http://127.0.0.1:${port}`, userDir, version);
    await nodeRed.#run();
    return nodeRed;
  }

  /** What it wrote so far. */
  get log(): string {
    return this.#log;
  }

  /** Resolves when it has logged `text`; rejects when it ends without. */
  async logged(text: string): Promise<void> {
    const { child } = this;
    const fail = (): never =>
      assert.fail(`Node-RED ended (${child.signalCode ?? child.exitCode}):\n${this.#log}`);
    if (child.exitCode !== null || child.signalCode !== null) fail();
    const over = new AbortController();
    const ended = once(child, 'exit', over).then(fail);
    ended.catch(() => {});
    try {
      while (!this.#log.includes(text)) await Promise.race([once(child, 'log'), ended]);
    } finally {
      over.abort();
    }
  }

  /** Lets it drop what nothing holds any more: V8 does that when it wants to. Not on Windows. */
  async collectGarbage(): Promise<void> {
    this.child.kill('SIGWINCH');
    await this.logged(`collected ${++this.#collections}.`);
  }

  post(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, { method: 'POST', ...init });
  }

  /** Presses an inject node's button. */
  async inject(id: string): Promise<void> {
    const response = await this.post(`/inject/${id}`);
    assert.equal(response.status, 200);
  }

  /** Listens to the statuses as an editor does; `next` resolves with the first one of node `id` that `wanted` accepts. */
  async statuses(): Promise<{
    next(id: string, wanted: (status: Status) => boolean): Promise<Status>;
    close(): void;
  }> {
    const socket = new WebSocket(`${this.url.replace('http', 'ws')}/comms`);
    const listeners = new Set<(topic: string, status: Status) => void>();
    socket.addEventListener('message', ({ data }) => {
      const messages: unknown = JSON.parse(String(data));
      for (const { topic, data: status } of [messages].flat() as { topic: string; data: Status }[]) {
        for (const listener of listeners) listener(topic, status);
      }
    });
    await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
    socket.send(JSON.stringify({ subscribe: 'status/#' }));
    return {
      next: (id, wanted) =>
        new Promise((resolve) => {
          const listener = (topic: string, status: Status): void => {
            if (topic !== `status/${id}` || !wanted(status)) return;
            listeners.delete(listener);
            resolve(status);
          };
          listeners.add(listener);
        }),
      close: () => socket.close(),
    };
  }

  /** Ends it as a service manager does; resolves with its exit code. */
  async stop(): Promise<number | null> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    return child.exitCode;
  }
}
