/**
 * A server to deploy to: a real sshd with a host key of its own, real containers, a real registry, and a stack of two small
 * images that stand for Node-RED and the worker, behind a real nginx.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { root } from '../../support/installed-package.ts';
import { freePort } from '../../support/node-red.ts';
import { requireProgram } from '../../support/programs.ts';
import { baseImage } from './base-image.ts';
import type { Containers } from './containers.ts';
import { end, tryRun, until } from './run.ts';

/** A registry on loopback without TLS, and a podman that takes images from it. */
export class Registry {
  readonly containers: Containers;
  readonly address: string;
  /** Docker for those who may use the registry. */
  readonly env: NodeJS.ProcessEnv;
  readonly #processes: ChildProcess[];

  private constructor(
    containers: Containers,
    address: string,
    env: NodeJS.ProcessEnv,
    processes: ChildProcess[],
  ) {
    this.containers = containers;
    this.address = address;
    this.env = env;
    this.#processes = processes;
  }

  /** @param temporary where podman puts what it downloads */
  static async start(containers: Containers, temporary: string): Promise<Registry> {
    const program = requireProgram('docker-registry', 'docker-registry');
    const folder = mkdtempSync(join(containers.folder, 'registry-'));
    const address = `127.0.0.1:${await freePort()}`;
    writeFileSync(
      join(folder, 'registry.yml'),
      `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${folder}/images } }\nhttp: { addr: '${address}' }\n`,
    );
    writeFileSync(
      join(folder, 'registries.conf'),
      `[[registry]]\nlocation = "${address}"\ninsecure = true\n`,
    );
    // podman stumbles over a configuration that is named and missing.
    mkdirSync(containers.env['DOCKER_CONFIG']!, { recursive: true });
    writeFileSync(join(containers.env['DOCKER_CONFIG']!, 'config.json'), '{}');
    const socket = join(folder, 'docker.sock');
    const env = {
      ...containers.env,
      CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
      DOCKER_HOST: `unix://${socket}`,
      TMPDIR: temporary,
    };
    const options = { env, stdio: 'ignore' } as const;
    const processes = [
      spawn(program, ['serve', join(folder, 'registry.yml')], options),
      spawn('podman', ['system', 'service', '--time=0', `unix://${socket}`], options),
    ];
    const registry = new Registry(containers, address, env, processes);
    await until('the registry answers', async () => (await fetch(`http://${address}/v2/`)).ok);
    await until('podman answers', async () => (await tryRun('docker', ['version'], { env })).code === 0);
    return registry;
  }

  /** Pushes a local image; its name by digest. */
  async push(image: string, name: string): Promise<string> {
    const reference = `${this.address}/${name}`;
    const file = join(this.containers.folder, 'digest');
    const options = ['--quiet', '--tls-verify=false', '--compression-format=zstd', `--digestfile=${file}`];
    await this.containers.podman('push', ...options, image, `docker://${reference}:latest`);
    return `${reference}@${readFileSync(file, 'utf8').trim()}`;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((child) => end(child)));
  }
}

/** Builds a stand-in on the base image; `more` are lines of its Dockerfile. */
export async function buildStandIn(
  containers: Containers,
  name: string,
  variables: { VERSION: string; BEHAVIOUR?: string; FLOWS?: string },
  more = '',
): Promise<string> {
  const folder = mkdtempSync(join(containers.folder, 'stand-in-'));
  copyFileSync(join(import.meta.dirname, 'stand-in/app.mjs'), join(folder, 'app.mjs'));
  const types = (variables.FLOWS ?? 'http in, http response').split(', ');
  writeFileSync(
    join(folder, 'flows.json'),
    JSON.stringify(types.map((type, i) => ({ id: String(i), type }))),
  );
  cpSync(join(root, 'models/demo/samples/two-people.png'), join(folder, 'two-people.png'));
  writeFileSync(
    join(folder, 'm2fp-ready'),
    `#!/usr/bin/env node\nconst answer = await fetch('http://127.0.0.1:1880/ready');\nconsole.log(await answer.text());\nprocess.exitCode = answer.ok ? 0 : 1;\n`,
    { mode: 0o755 },
  );
  writeFileSync(
    join(folder, 'Dockerfile'),
    `FROM ${await baseImage(containers)}
COPY m2fp-ready /usr/local/bin/m2fp-ready
COPY two-people.png /usr/src/node_modules/@m2fp/node-red-human-parsing/models/demo/samples/two-people.png
COPY flows.json app.mjs /usr/src/
ENV M2FP_FLOW_FILE=/usr/src/flows.json VERSION=${variables.VERSION} BEHAVIOUR=${variables.BEHAVIOUR ?? 'good'}
${more}
ENTRYPOINT ["node", "/usr/src/app.mjs"]
`,
  );
  await containers.podman('build', '--quiet', '--format=docker', '--tag', `localhost/${name}`, folder);
  rmSync(folder, { recursive: true });
  return `localhost/${name}`;
}

/** An sshd on loopback; whoever logs in finds docker as `env` says. */
export class SshServer {
  readonly port: number;
  readonly knownHosts: string;
  readonly key: string;
  readonly #process: ChildProcess;

  private constructor(port: number, knownHosts: string, key: string, child: ChildProcess) {
    this.port = port;
    this.knownHosts = knownHosts;
    this.key = key;
    this.#process = child;
  }

  static async start(folder: string, env: NodeJS.ProcessEnv): Promise<SshServer> {
    const program = requireProgram('sshd', 'openssh-server');
    const port = await freePort();
    for (const name of ['host', 'user'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)]);
    mkdirSync('/run/sshd', { recursive: true });
    const given = ['DOCKER_HOST', 'DOCKER_CONFIG', 'CONTAINERS_CONF', 'PATH'].map(
      (name) => `${name}=${env[name] ?? ''}`,
    );
    writeFileSync(
      join(folder, 'sshd_config'),
      `ListenAddress 127.0.0.1:${port}
HostKey ${folder}/host
AuthorizedKeysFile ${folder}/user.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
PidFile none
SetEnv ${given.join(' ')}
`,
    );
    const child = spawn(program, ['-D', '-e', '-f', join(folder, 'sshd_config')], { stdio: 'ignore' });
    const host = readFileSync(join(folder, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    const knownHosts = `[127.0.0.1]:${port} ${host}`;
    const server = new SshServer(port, knownHosts, readFileSync(join(folder, 'user'), 'utf8'), child);
    await until('sshd answers', async () => {
      const { output } = await tryRun('ssh-keyscan', ['-p', String(port), '127.0.0.1']);
      return output.includes('ed25519');
    });
    return server;
  }

  /** What deploy.sh reads from the environment to get here. */
  get environment(): NodeJS.ProcessEnv {
    return {
      DEPLOY_HOST: `${userInfo().username}@127.0.0.1`,
      DEPLOY_PORT: String(this.port),
      DEPLOY_KEY: this.key.trim(),
      DEPLOY_KNOWN_HOSTS: this.knownHosts,
    };
  }

  /** Ends all connections, not the server. */
  async hangUp(): Promise<void> {
    const { stdout } = await tryRun('pgrep', ['-P', String(this.#process.pid)]);
    for (const pid of stdout.split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
  }

  /** @param stack where deploys may still be running */
  async stop(stack: string): Promise<void> {
    await end(this.#process);
    await tryRun('pkill', ['-KILL', '-f', `${stack}/.deploy/runs/`]);
  }
}

/** What the stand-ins are made of; `BEHAVIOUR` is what is wrong with one. */
const STAND_INS: Record<string, Parameters<typeof buildStandIn>[2]> = {
  one: { VERSION: 'one' },
  two: { VERSION: 'two' },
  timer: { VERSION: 'timer', FLOWS: 'http in, mqtt in' },
  exits: { VERSION: 'exits', BEHAVIOUR: 'exits' },
  unready: { VERSION: 'unready', BEHAVIOUR: 'unready' },
  wrong: { VERSION: 'wrong', BEHAVIOUR: 'wrong' },
  big: { VERSION: 'big' },
};

export interface DeployServer {
  /** The name of the stack. */
  project: string;
  /** For the client of docker. */
  env: NodeJS.ProcessEnv;
  ssh: SshServer;
  /** The folder of the stack. */
  stack: string;
  /** Where nginx answers. */
  url: string;
  /** The stand-ins, by name. */
  images: Record<string, string>;
  /** For more files of a test. */
  folder: string;
  stop(): Promise<void>;
}

/** A server with a stack of stand-ins, of which nothing runs yet. */
export async function startDeployServer(containers: Containers): Promise<DeployServer> {
  // What podman downloads goes through a disk that is too small for one of the images.
  const disk = join(containers.folder, 'downloads');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
  const registry = await Registry.start(containers, disk);
  const images: Record<string, string> = {};
  for (const [name, variables] of Object.entries(STAND_INS)) {
    const more = name === 'big' ? 'RUN head -c 16000000 /dev/urandom >/big' : '';
    const image = await buildStandIn(containers, name, variables, more);
    images[name] = await registry.push(image, name);
    // What is deployed comes out of the registry.
    await containers.podman('rmi', image);
  }
  // Names of networks are the machine's, whichever folder podman uses.
  const project = `m2fp${process.pid}`;
  const folder = join(containers.folder, 'server');
  const stack = join(folder, 'stack');
  const standIn = join(import.meta.dirname, 'stand-in');
  cpSync(join(standIn, 'compose.yaml'), join(stack, 'compose.yaml'), { recursive: true });
  cpSync(join(standIn, 'nginx.conf'), join(stack, 'nginx/nginx.conf'), { recursive: true });
  const port = await freePort();
  const base = await baseImage(containers);
  writeFileSync(
    join(stack, '.env'),
    `COMPOSE_PROJECT_NAME=${project}\nBASE=${base}\nPORT=${port}\nM2FP_READY_TIMEOUT=60\n`,
  );
  const ssh = await SshServer.start(folder, registry.env);
  return {
    project,
    env: registry.env,
    ssh,
    stack,
    url: `http://127.0.0.1:${port}`,
    images,
    folder,
    async stop() {
      await ssh.stop(stack);
      const mine = `--filter=label=com.docker.compose.project=${project}`;
      const ids = (await containers.podman('ps', '--all', '--quiet', mine)).split('\n').filter(Boolean);
      if (ids.length > 0) await containers.podman('rm', '--force', '--time=0', ...ids);
      await registry.stop();
      execFileSync('umount', [disk]);
    },
  };
}
