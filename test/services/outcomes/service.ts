/** A Node-RED with the service, and what it needs beside it: an engine of its own, or two workers behind a Redis. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { installedPackage } from '../../support/installed-package.ts';
import { type FlowNode, freePort, NodeRed } from '../../support/node-red.ts';
import { childrenOf } from '../../support/processes.ts';
import { RedisServer } from '../support/redis.ts';
import { serviceFlow } from './flow.ts';

const WORKERS = 2;

interface Worker {
  process: ChildProcess;
  url: string;
}

export type DeployType = 'full' | 'flows' | 'nodes';
const STARTED: Record<DeployType, string> = {
  full: 'Started flows',
  flows: 'Started modified flows',
  nodes: 'Started modified nodes',
};

export class Service {
  readonly nodeRed: NodeRed;
  readonly redis: RedisServer | undefined;
  readonly workers: Worker[] = [];
  flow: FlowNode[];

  private constructor(nodeRed: NodeRed, flow: FlowNode[], redis: RedisServer | undefined) {
    this.nodeRed = nodeRed;
    this.flow = flow;
    this.redis = redis;
  }

  /** Jobs lie in a folder of Node-RED's. */
  static embedded(): Promise<Service> {
    return Service.#start({ threads: 1 }, undefined);
  }

  /** Jobs lie in Redis. */
  static async remote(): Promise<Service> {
    const redis = await RedisServer.start({ persistent: true });
    const { url, queue } = redis.address;
    const service = await Service.#start({ source: 'remote', redis: url, queue }, redis);
    for (let i = 0; i < WORKERS; i++) await service.startWorker();
    return service;
  }

  static async #start(model: object, redis: RedisServer | undefined): Promise<Service> {
    const flow = serviceFlow(model);
    const nodeRed = await NodeRed.start('node-red', flow);
    const service = new Service(nodeRed, flow, redis);
    // As the editor does: keys go to the credentials.
    await service.deploy('full', flow);
    service.flow = flow.map(({ credentials: _keys, ...node }) => node);
    return service;
  }

  /** Resolves when the flow runs. */
  async deploy(type: DeployType, flows: FlowNode[]): Promise<void> {
    const before = this.nodeRed.log.split(STARTED[type]).length;
    const response = await this.nodeRed.post('/flows', {
      body: JSON.stringify({ flows }),
      headers: {
        'content-type': 'application/json',
        'node-red-api-version': 'v2',
        'node-red-deployment-type': type,
      },
    });
    assert.equal(response.status, 200, await response.text());
    this.flow = flows;
    while (this.nodeRed.log.split(STARTED[type]).length === before) await once(this.nodeRed.child, 'log');
  }

  /** Resolves when it takes pictures. */
  async startWorker(): Promise<void> {
    const { address } = this.redis!;
    const port = await freePort();
    const program = join(installedPackage().folder, 'dist', 'cli', 'm2fp.js');
    const args = ['--redis', address.url, '--queue', address.queue, '--threads', '1', '--listen', `${port}`];
    const child = spawn(process.execPath, [program, 'worker', ...args], { stdio: 'ignore' });
    const worker = { process: child, url: `http://127.0.0.1:${port}` };
    this.workers.push(worker);
    while (child.exitCode === null) {
      if ((await fetch(`${worker.url}/ready`).catch(() => undefined))?.status === 200) return;
      await pause(50);
    }
    assert.fail(`A worker ended with code ${child.exitCode}`);
  }

  /** As a machine that loses its power. */
  async killWorker(worker: Worker): Promise<void> {
    this.workers.splice(this.workers.indexOf(worker), 1);
    const { pid } = worker.process;
    const engines = childrenOf(pid!);
    const ended = once(worker.process, 'exit');
    worker.process.kill('SIGKILL');
    for (const engine of engines) kill(engine);
    await ended;
  }

  /** Processes that run the model. */
  engines(): number[] {
    const parents = this.redis ? this.workers.map(({ process: { pid } }) => pid!) : [this.nodeRed.child.pid!];
    return parents.flatMap((parent) => childrenOf(parent));
  }

  /** What the spool has, or the Redis, but for outcomes. */
  async leftovers(): Promise<string[]> {
    if (this.redis) {
      const keys = await this.redis.keys();
      return keys.filter((key) => !/:service:jobs:(ended|sizes|total|job:.*|once:.*)$|:workers?\b/.test(key));
    }
    return globSync('m2fp/jobs/jobs/{new,queued,claims,tries,hooks}/*', { cwd: this.nodeRed.userDir });
  }

  /** Ids of the jobs whose outcome is kept. */
  async outcomes(): Promise<string[]> {
    if (this.redis) {
      const keys = await this.redis.keys();
      return keys.flatMap((key) => /:service:jobs:job:(.*)$/.exec(key)?.[1] ?? []);
    }
    return globSync('m2fp/jobs/jobs/ended/*', { cwd: this.nodeRed.userDir }).map((file) =>
      file.split('/').at(-1)!,
    );
  }

  /** Keys under which clients sent jobs that are kept; in a folder they lie with the jobs. */
  async keysOfClients(): Promise<string[]> {
    return (await this.redis?.keys())?.filter((key) => key.includes(':service:jobs:once:')) ?? [];
  }

  async stop(): Promise<void> {
    await this.nodeRed.stop();
    for (const { process: child } of this.workers) {
      if (child.exitCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await this.redis?.stop();
  }
}

/** A process that may have ended by itself. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has.
  }
}
