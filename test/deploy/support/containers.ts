/**
 * Real containers for the tests: podman with images, networks and volumes in a folder of its own, and its service, which
 * docker and docker-compose take for Docker's. Made on the first call, shared by all tests of a run, gone with it.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from '../../support/installed-package.ts';
import { watchNameService } from './name-service.ts';
import { end, run, type RunOptions, type Ran, tryRun, until } from './run.ts';

/** Where Debian has what podman calls. */
const PODMAN_FOLDERS = ['/usr/lib/podman', '/usr/libexec/podman'];

/** Fails with the line that installs all that is missing of what tools/ci/container-tools.sh names. */
function requirePrograms(): void {
  const script = readFileSync(join(root, 'tools', 'ci', 'container-tools.sh'), 'utf8');
  const [, list = ''] = /^needed=\(([^)]+)\)/m.exec(script) ?? [];
  const pairs = list
    .trim()
    .split(/\s+/)
    .map((pair) => pair.split(':') as [string, string]);
  assert.ok(pairs.length > 1);
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', ...PODMAN_FOLDERS];
  const missing = pairs.filter(([program]) => !folders.some((folder) => existsSync(join(folder, program))));
  assert.deepEqual(
    missing.map(([program]) => program),
    [],
    `Missing: sudo apt-get install -y --no-install-recommends ${missing.map(([, name]) => name).join(' ')}`,
  );
  assert.equal(process.getuid?.(), 0, 'These tests make networks and mounts: run them as root');
}

/** cgroups of both versions at once are too much for crun, and not every host lets limits be raised. */
const containersConf = (folder: string): string => `
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
events_logger = "file"
cgroup_manager = "cgroupfs"
tmp_dir = "${join(folder, 'tmp')}"
volume_path = "${join(folder, 'volumes')}"
[network]
network_backend = "netavark"
network_config_dir = "${join(folder, 'networks')}"
# Another run chooses among others.
default_subnet_pools = [{ base = "10.${100 + (process.pid % 100)}.0.0/16", size = 24 }]
`;

const storageConf = (folder: string): string => `
[storage]
driver = "overlay"
graphroot = "${join(folder, 'storage')}"
runroot = "${join(folder, 'run')}"
`;

/** How the folders of runs begin; then comes the process that made one. */
const PREFIX = 'm2fp-deploy-';

/** Makes podman use what lies in a folder. */
const podmanEnvironment = (folder: string): NodeJS.ProcessEnv => ({
  ...process.env,
  CONTAINERS_CONF: join(folder, 'containers.conf'),
  CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
});

/** Kills the programs that were started with something of a folder, but those whose names are spared. */
function killProgramsOf(folder: string, ...spared: string[]): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const words = readFileSync(join('/proc', pid, 'cmdline'), 'utf8').split('\0');
      if (Number(pid) === process.pid || !words.some((word) => word.includes(`${folder}/`))) continue;
      if (!spared.includes(basename(words[0]!))) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
}

/** What is mounted below a folder, the innermost first. */
const mountsBelow = (folder: string): string[] =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((mount) => mount.startsWith(`${folder}/`))
    .toReversed();

/** Ends and removes all of a run: programs, containers, networks, mounts, files. */
function clearFolder(folder: string): void {
  if (!existsSync(folder)) return;
  // First whatever could start more; conmon is how podman ends a container.
  killProgramsOf(folder, 'conmon');
  const podman = (...args: string[]) =>
    spawnSync('podman', args, { env: podmanEnvironment(folder), stdio: 'ignore', timeout: 60_000 });
  podman('rm', '--all', '--force', '--time', '0', '--volumes');
  podman('network', 'prune', '--force');
  killProgramsOf(folder);
  // Those of containers, of builds that were stopped, and of the storage itself would keep the folder.
  for (const mount of mountsBelow(folder)) spawnSync('umount', ['--lazy', mount], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** What runs have left that were killed. */
function clearAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && !existsSync(join('/proc', pid))) clearFolder(join(parent, name));
  }
}

export class Containers {
  /** For whatever belongs to this run; gone at its end. */
  readonly folder: string;
  /** Makes podman, docker and docker-compose use these containers. */
  readonly env: NodeJS.ProcessEnv;
  readonly socket: string;
  #service: ChildProcess | undefined;
  #endWatch = (): void => {};

  constructor() {
    // In a container of GitHub's, /tmp is an overlay, on which there can be no other.
    const parent = process.env['RUNNER_TEMP'] ?? tmpdir();
    clearAbandoned(parent);
    this.folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
    this.socket = join(this.folder, 'docker.sock');
    for (const name of ['tmp', 'run', 'storage', 'volumes', 'networks']) mkdirSync(join(this.folder, name));
    writeFileSync(join(this.folder, 'containers.conf'), containersConf(this.folder));
    writeFileSync(join(this.folder, 'storage.conf'), storageConf(this.folder));
    this.env = {
      ...podmanEnvironment(this.folder),
      DOCKER_HOST: `unix://${this.socket}`,
      DOCKER_CONFIG: join(this.folder, 'docker'),
      DOCKER_BUILDKIT: '0',
    };
  }

  async start(): Promise<void> {
    this.#service = spawn('podman', ['system', 'service', '--time=0', `unix://${this.socket}`], {
      // What watches over a container leaves its notes where this runs.
      cwd: this.folder,
      env: this.env,
      stdio: ['ignore', 'ignore', openSync(join(this.folder, 'podman.log'), 'a')],
    });
    await until('podman answers as Docker', async () => {
      const { code } = await this.try('docker', ['version']);
      return code === 0;
    });
    this.#endWatch = watchNameService();
  }

  try(program: string, args: string[], options: RunOptions = {}): Promise<Ran> {
    return tryRun(program, args, { cwd: this.folder, ...options, env: { ...this.env, ...options.env } });
  }

  run(program: string, args: string[], options: RunOptions = {}): Promise<string> {
    return run(program, args, { cwd: this.folder, ...options, env: { ...this.env, ...options.env } });
  }

  podman(...args: string[]): Promise<string> {
    return this.run('podman', args);
  }

  docker(...args: string[]): Promise<string> {
    return this.run('docker', args);
  }

  /** All that was made here, also by others who were given {@link env}. */
  async stop(): Promise<void> {
    this.#endWatch();
    if (this.#service !== undefined) await end(this.#service);
    this.clear();
  }

  /** The same at once, for the end of the process. */
  clear(): void {
    clearFolder(this.folder);
  }
}

let shared: Promise<Containers> | undefined;
let current: Containers | undefined;

/** The same for every test of a run. */
export function containers(): Promise<Containers> {
  shared ??= (async () => {
    requirePrograms();
    current = new Containers();
    process.once('exit', clear);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
    await current.start();
    return current;
  })();
  return shared;
}

function clear(): void {
  current?.clear();
}

/** For mocha's --require: takes everything away when the last test has ended. */
export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(120_000);
    await current?.stop();
  },
};
