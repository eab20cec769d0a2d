/** The package as users get it: packed, and installed into a Node-RED user folder as the palette manager does. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..', '..');
const require = createRequire(import.meta.url);

/** What the palette manager of Node-RED 5.0 gives to npm (@node-red/registry, lib/installer.js). */
const PALETTE_FLAGS = [
  '--no-audit',
  '--no-update-notifier',
  '--no-fund',
  '--save',
  '--save-prefix=~',
  '--omit=dev',
  '--engine-strict',
];

export interface PackedFile {
  path: string;
  size: number;
}

export interface InstalledPackage {
  name: string;
  /** The user folder's node_modules. */
  modules: string;
  /** The installed package. */
  folder: string;
  tarball: { file: string; size: number; files: PackedFile[] };
}

let installed: InstalledPackage | undefined;

/** Installs on the first call (some seconds) and gives the same to every later one; gone when the tests end. */
export function installedPackage(): InstalledPackage {
  installed ??= install();
  return installed;
}

const temporary: string[] = [];

function removeTemporary(): void {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
}

/** A temporary folder that goes when the tests end. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `m2fp-${name}-`));
  // One listener for all: Node.js warns of more than ten.
  if (temporary.push(folder) === 1) process.on('exit', removeTemporary);
  return folder;
}

/**
 * A temporary folder with packages of the npm registry in its node_modules, for the setting nodesDir of Node-RED;
 * gone when the tests end.
 * @param packages as npm takes them, with exact versions
 */
export function installedFromRegistry(...packages: string[]): string {
  const folder = temporaryFolder('npm');
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  npm(folder, ['install', ...PALETTE_FLAGS, '--ignore-scripts', '--prefer-offline', '--', ...packages]);
  return folder;
}

/** Packs what is built into `folder`. */
export function packInto(folder: string): { name: string; file: string; size: number; files: PackedFile[] } {
  assert.ok(
    existsSync(join(root, 'dist', 'package.json')),
    'The package is not built: run "npm run build" first',
  );
  // Scripts would build again, under the feet of tests that run from dist.
  const output = npm(root, ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]);
  const report: unknown = JSON.parse(output);
  const [packed] = Object.values(
    report as Record<string, { name: string; filename: string; size: number; files: PackedFile[] }>,
  );
  assert.ok(packed);
  const { name, filename, size, files } = packed;
  return { name, file: join(folder, filename), size, files };
}

function install(): InstalledPackage {
  const userDir = temporaryFolder('install');
  const { name, ...tarball } = packInto(userDir);
  writeFileSync(join(userDir, 'package.json'), '{ "private": true }\n');
  npm(userDir, ['install', ...PALETTE_FLAGS, '--prefer-offline', '--', tarball.file]);
  const modules = join(userDir, 'node_modules');
  return { name, modules, folder: join(modules, name), tarball };
}

/** Runs the npm that Node-RED itself carries, without the download that onnxruntime-node's install script would make. */
function npm(cwd: string, args: string[]): string {
  const npmFolder = dirname(
    createRequire(require.resolve('node-red/package.json')).resolve('npm/package.json'),
  );
  const { bin } = JSON.parse(readFileSync(join(npmFolder, 'package.json'), 'utf8')) as {
    bin: { npm: string };
  };
  const env: NodeJS.ProcessEnv = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  // Settings of the npm that runs these tests are not for this one.
  for (const name of Object.keys(env)) if (name.toLowerCase().startsWith('npm_config_')) delete env[name];
  return execFileSync(process.execPath, [join(npmFolder, bin.npm), ...args], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
