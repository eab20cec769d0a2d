/**
 * `npm start`: builds the package and runs a real Node-RED with it on this machine alone. The user folder is
 * `.node-red` in the checkout: flows and settings changed there are kept; `npm start -- --reset` begins anew.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const HOST = '127.0.0.1';
const DEFAULT_PORT = 1880;
const PORTS_TRIED = 20;
/** Those that need nothing but Node-RED. */
const EXAMPLES = [
  '1 First picture',
  '2 HTTP API',
  '3 Parts',
  '4 Parsing service',
  '6 Folder watch',
  '7 Privacy',
  '8 Health and metrics',
  '9 Gallery',
  '10 Track and count',
  '13 Try-on masks',
  '12 Camera',
];

const root = resolve(import.meta.dirname, '..');
const userDir = join(root, '.node-red');

/** Keeps Node-RED from every connection that no flow asks for. */
const SETTINGS = `module.exports = {
  flowFile: 'flows.json',
  flowFilePretty: true,
  uiHost: '${HOST}',
  telemetry: { enabled: false, updateNotification: false },
  diagnostics: { enabled: true, ui: true },
  externalModules: {
    autoInstall: false,
    palette: { allowInstall: false, allowUpload: false, allowUpdate: false },
    modules: { allowInstall: false },
  },
  editorTheme: {
    tours: false,
    projects: { enabled: false },
    palette: { catalogues: [] },
    multiplayer: { enabled: false },
  },
};
`;

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, HOST, () => server.close(() => done(true)));
  });
}

/** The port asked for, which must be free; else 1880 or the next one that is. */
async function choosePort(asked: string | undefined): Promise<number> {
  if (asked !== undefined) {
    const port = Number(asked);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`"${asked}" is no port`);
    if (!(await isFree(port))) throw new Error(`Port ${port} is taken: choose another with --port`);
    return port;
  }
  for (let port = DEFAULT_PORT; port < DEFAULT_PORT + PORTS_TRIED; port++) {
    if (await isFree(port)) return port;
    console.log(`Port ${port} is taken, trying the next one.`);
  }
  throw new Error(`The ports from ${DEFAULT_PORT} on are taken: choose one with --port`);
}

/** Makes what is missing of the user folder; what the user changed stays. */
function prepareUserDir(): void {
  const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name: string };
  const link = join(userDir, 'node_modules', name);
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true, recursive: true });
  symlinkSync(root, link, 'junction');
  writeIfMissing('package.json', '{ "private": true }\n');
  writeIfMissing('settings.js', SETTINGS);
  writeIfMissing('flows.json', JSON.stringify(exampleFlows(), undefined, 4));
}

function writeIfMissing(name: string, content: string): void {
  const file = join(userDir, name);
  if (!existsSync(file)) writeFileSync(file, content);
}

/** The examples in one file, with what they share once. */
function exampleFlows(): unknown[] {
  const nodes = EXAMPLES.flatMap(
    (name) => JSON.parse(readFileSync(join(root, 'examples', `${name}.json`), 'utf8')) as { id: string }[],
  );
  return [...new Map(nodes.map((node) => [node.id, node])).values()];
}

function announce(port: number): void {
  const url = `http://${HOST}:${port}`;
  const upload = `--data-binary @models/demo/samples/two-people.png -H 'Content-Type: image/png'`;
  console.log(`
  Editor           ${url}/   (press the button of "two people")
  First picture    ${url}/m2fp
  Parsing service  ${url}/m2fp/   (${url}/m2fp/docs describes it)

  curl ${upload} ${url}/parse
  curl ${upload} ${url}/colorize --output coloured.png

  Ctrl-C stops it. "npm start -- --reset" begins anew, "npm start -- --port N" takes another port.
`);
}

/** Node-RED's own program, in this process: its signal handling is ours, and nothing can be left behind. */
async function startNodeRed(port: number): Promise<void> {
  const require = createRequire(import.meta.url);
  const nodeRed = require('node-red') as { events: NodeJS.EventEmitter };
  process.argv = [
    process.argv[0]!,
    require.resolve('node-red/red.js'),
    '--userDir',
    userDir,
    '--port',
    String(port),
  ];
  nodeRed.events.once('flows:started', () => announce(port));
  void require('node-red/red.js');
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { port: { type: 'string' }, reset: { type: 'boolean' } } });
  const port = await choosePort(values.port ?? process.env['PORT']);
  const build = spawnSync(process.execPath, ['tools/build.ts'], { cwd: root, stdio: 'inherit' });
  if (build.status !== 0) throw new Error('The build failed');
  if (values.reset) rmSync(userDir, { recursive: true, force: true });
  prepareUserDir();
  await startNodeRed(port);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
