/** Workers as processes, and as they are where a test plays their engine. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { WorkerAddress } from '../../../src/engine/remote/client/transport.ts';
import { childrenOf } from '../../support/processes.ts';

const PROGRAM = join(import.meta.dirname, 'worker-process.ts');

const started = new Set<WorkerProcess>();

export class WorkerProcess {
  log = '';
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #engine = 0;

  private constructor(address: WorkerAddress) {
    this.#process = spawn(process.execPath, [PROGRAM, JSON.stringify(address)], {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    this.#ended = once(this.#process, 'exit');
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    started.add(this);
  }

  /** Resolves when it takes pictures. */
  static async start(address: WorkerAddress): Promise<WorkerProcess> {
    const worker = new WorkerProcess(address);
    await worker.says('Serving\n');
    const [engine] = childrenOf(worker.#process.pid!);
    worker.#engine = engine!;
    return worker;
  }

  /** Ends those that a test has left. */
  static async stopAll(): Promise<void> {
    for (const worker of started) await worker.kill();
  }

  /** Resolves when its log holds `text`; rejects where it ends without. */
  async says(text: string): Promise<void> {
    while (!this.log.includes(text)) {
      const more = once(this.#process.stderr!, 'data').then(() => true);
      const goesOn = await Promise.race([more, this.#ended.then(() => false)]);
      assert.ok(goesOn || this.log.includes(text), `The worker ended without "${text}":\n${this.log}`);
    }
  }

  /** Has its engine stand still: the picture that it has or gets next stays with it. */
  hold(): void {
    process.kill(this.#engine, 'SIGSTOP');
  }

  goOn(): void {
    process.kill(this.#engine, 'SIGCONT');
  }

  /** As a machine that loses its power. */
  async kill(): Promise<void> {
    started.delete(this);
    this.#process.kill('SIGKILL');
    try {
      process.kill(this.#engine, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    await this.#ended;
  }

  /** As a service manager does; {@link ended} tells when it has. */
  stop(): void {
    this.#process.kill('SIGTERM');
  }

  /** Resolves to the exit code. */
  async ended(): Promise<number | null> {
    await this.#ended;
    started.delete(this);
    return this.#process.exitCode;
  }
}
