/**
 * `npm run smoke -- --tarball FILE_OR_FOLDER [--node-red VERSION] [--expect cpu|wasm]`: what somebody
 * does who has only Node.js: install Node-RED, install the packed package with the palette manager's own flags, start,
 * post a picture, stop. Needs no `npm ci`. The environment is used as it is: with ONNXRUNTIME_NODE_INSTALL=skip or without.
 *
 * M2FP_TEST_NODE names another Node.js to run Node-RED and its npm with.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { npm } from './npm.ts';

/** What the palette manager of Node-RED 5 gives to npm (@node-red/registry, lib/installer.js). */
const PALETTE_FLAGS =
  '--no-audit --no-update-notifier --no-fund --save --save-prefix=~ --omit=dev --engine-strict';
/** No connection but those that this script makes. */
const SETTINGS = `module.exports = { flowFile: 'flows.json', credentialSecret: false, uiHost: '127.0.0.1',
  telemetry: { enabled: false, updateNotification: false }, editorTheme: { palette: { catalogues: [] }, tours: false } };\n`;
/** Milliseconds for Node-RED to start, and to end. */
const START = 120_000;
const END = 15_000;

const { values } = parseArgs({
  options: {
    tarball: { type: 'string' },
    'node-red': { type: 'string', default: '5.0.7' },
    expect: { type: 'string' },
  },
});
if (values.tarball === undefined) throw new Error('--tarball FILE_OR_FOLDER is missing: npm pack makes one');
const packed = values.tarball.endsWith('.tgz')
  ? values.tarball
  : (globSync('*.tgz', { cwd: values.tarball }).map((file) => join(values.tarball!, file))[0] ??
    assert.fail(`No .tgz in ${values.tarball}`));
const tarball = resolve(packed);
const node = process.env['M2FP_TEST_NODE'] ?? process.execPath;

/** The home of Node-RED in `folder`, and the npm that it brings for its palette manager. */
function installNodeRed(folder: string): { program: string; npmProgram: string } {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  npm(['install', '--silent', '--no-audit', '--no-fund', `node-red@${values['node-red']}`], folder);
  const require = createRequire(join(folder, 'package.json'));
  const program = require.resolve('node-red/red.js');
  const own = createRequire(program);
  const bin = (own('npm/package.json') as { bin: { npm: string } }).bin.npm;
  return { program, npmProgram: join(own.resolve('npm/package.json'), '..', bin) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when Node-RED has said that its flows run. */
async function started(child: ChildProcess): Promise<void> {
  let log = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      child.emit('log');
    });
  const ended = once(child, 'exit').then(() => assert.fail(`Node-RED ended:\n${log}`));
  const late = once(AbortSignal.timeout(START), 'abort').then(() =>
    assert.fail(`Node-RED does not start:\n${log}`),
  );
  for (const promise of [ended, late]) promise.catch(() => {});
  while (!log.includes('Started flows') || !log.includes('Server now running'))
    await Promise.race([once(child, 'log'), ended, late]);
  assert.doesNotMatch(log, /Missing node modules|Waiting for missing types/);
}

/** Posts `image` until it is answered with its people. */
async function parse(
  url: string,
  image: Buffer,
): Promise<{ width: number; persons: unknown[]; provider: string }> {
  const response = await fetch(`${url}/parse`, {
    method: 'POST',
    headers: { 'content-type': 'image/png' },
    body: new Uint8Array(image),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const { width, persons, model } = JSON.parse(text) as {
    width: number;
    persons: unknown[];
    model: { provider: string };
  };
  return { width, persons, provider: model.provider };
}

const home = mkdtempSync(join(tmpdir(), 'm2fp-smoke-'));
let child: ChildProcess | undefined;
try {
  const versions = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  console.log(`Node.js ${versions}, Node-RED ${values['node-red']}, ${process.platform} ${process.arch}`);
  const nodeRedFolder = join(home, 'node-red');
  const userDir = join(home, 'user');
  for (const folder of [nodeRedFolder, userDir]) mkdirSync(folder);
  const { program, npmProgram } = installNodeRed(nodeRedFolder);
  writeFileSync(join(userDir, 'package.json'), '{ "private": true }\n');
  execFileSync(node, [npmProgram, 'install', ...PALETTE_FLAGS.split(' '), '--', tarball], {
    cwd: userDir,
    stdio: 'inherit',
  });
  const { name } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string };
  const folder = join(userDir, 'node_modules', name);
  console.log(execFileSync(node, [join(folder, 'dist', 'cli', 'm2fp.js'), 'doctor'], { encoding: 'utf8' }));
  writeFileSync(join(userDir, 'settings.js'), SETTINGS);
  cpSync(join(folder, 'examples', '2 HTTP API.json'), join(userDir, 'flows.json'));
  const port = await freePort();
  child = spawn(node, [program, '--userDir', userDir, '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await started(child);
  const image = readFileSync(join(folder, 'models', 'demo', 'samples', 'two-people.png'));
  const { width, persons, provider } = await parse(`http://127.0.0.1:${port}`, image);
  console.log(`${persons.length} persons, on ${provider}`);
  assert.deepEqual([width, persons.length], [448, 2]);
  if (values.expect !== undefined) assert.equal(provider, values.expect);
  const before = performance.now();
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit', { signal: AbortSignal.timeout(END) })) as [number | null];
  // Windows knows no signals: the process is ended there.
  if (process.platform !== 'win32') assert.equal(code, 0, 'Node-RED ends with an error');
  console.log(`ended after ${Math.round(performance.now() - before)} ms`);
} finally {
  child?.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
