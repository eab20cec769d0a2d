/** A Redis of the tests' own: on loopback, without persistence unless it is asked for. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { WorkerAddress } from '../../../src/engine/remote/client/transport.ts';
import { temporaryFolder } from '../../support/installed-package.ts';
import { freePort } from '../../support/node-red.ts';
import { requireProgram } from '../../support/programs.ts';

const folder = temporaryFolder('redis');

export interface Certificate {
  /** Files. */
  certificate: string;
  key: string;
}

export interface RedisServerOptions {
  password?: string;
  /** Makes it take connections with TLS, and no others. */
  certificate?: Certificate;
  /** Whether its disk has what it was told before it answers. */
  persistent?: boolean;
  /** Whether it fails to save a snapshot, when it is told to. */
  cannotSave?: boolean;
  /** A free one, unless the test has promised one already. */
  port?: number;
}

/** A certificate that nobody trusts who was not told to. */
export function makeCertificate(): Certificate {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=m2fp tests', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(
    requireProgram('openssl', 'openssl'),
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      ...subject,
      '-keyout',
      key,
      '-out',
      certificate,
    ],
    { stdio: 'ignore' },
  );
  return { certificate, key };
}

function tlsArguments(port: number, { certificate, key }: Certificate): string[] {
  const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
  return ['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no', ...files];
}

export class RedisServer {
  readonly address: WorkerAddress;
  readonly #arguments: string[];
  #process: ChildProcess | null = null;

  private constructor(
    port: number,
    { password = '', certificate, persistent = false, cannotSave = false }: RedisServerOptions,
  ) {
    const url = `${certificate === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`;
    this.address = { url, username: '', password, queue: 'tests' };
    this.#arguments = ['--bind', '127.0.0.1', '--save', '', '--appendonly', persistent ? 'yes' : 'no'];
    if (persistent) this.#arguments.push('--appendfsync', 'always', '--appenddirname', `kept-${port}`);
    if (cannotSave) {
      mkdirSync(join(folder, `folder-${port}`), { recursive: true });
      this.#arguments.push('--dbfilename', `folder-${port}`);
    }
    if (certificate === undefined) this.#arguments.push('--port', `${port}`);
    else this.#arguments.push(...tlsArguments(port, certificate));
    if (password !== '') this.#arguments.push('--requirepass', password);
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(options.port ?? (await freePort()), options);
    await server.start();
    return server;
  }

  /** Resolves when it takes connections; one that is not persistent knows nothing of what it held before. */
  async start(): Promise<void> {
    const program = requireProgram('redis-server', 'redis-server');
    const server = spawn(program, this.#arguments, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = server;
    let log = '';
    const ended = once(server, 'exit').then(() => assert.fail(`redis-server ended:\n${log}`));
    ended.catch(() => {});
    server.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
    while (!log.includes('Ready to accept connections')) {
      await Promise.race([once(server.stdout, 'data'), ended]);
    }
  }

  /** Resolves when it has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const server = this.#process;
    this.#process = null;
    if (server === null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  }

  /** SIGSTOP has it stand still, SIGCONT go on. */
  signal(signal: NodeJS.Signals): void {
    this.#process!.kill(signal);
  }

  /** What `ask` gets from it, on a connection of its own. */
  async ask<T>(ask: (redis: Redis) => Promise<T>): Promise<T> {
    const { url, password } = this.address;
    const redis = new Redis(url, { ...(password !== '' && { password }) });
    try {
      return await ask(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** All keys that BullMQ does not keep for itself. */
  async keys(): Promise<string[]> {
    const own = new Set(
      ['id', 'meta', 'events', 'stalled-check', 'marker'].map((name) => `{m2fp:tests}:jobs:${name}`),
    );
    return (await this.ask((redis) => redis.keys('*'))).filter((key) => !own.has(key)).toSorted();
  }
}
