/** A real MQTT broker for a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/installed-package.ts';
import { requireProgram } from '../../support/programs.ts';

export class Mosquitto {
  readonly #process: ChildProcess;
  #log = '';

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
  }

  /** Starts it on `port`; resolves when it listens. */
  static async start(port: number): Promise<Mosquitto> {
    const program = requireProgram('mosquitto', 'mosquitto');
    const file = join(temporaryFolder('mosquitto'), 'mosquitto.conf');
    writeFileSync(
      file,
      `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest stderr\nlog_type all\n`,
    );
    const mosquitto = new Mosquitto(spawn(program, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] }));
    await mosquitto.#logged('running');
    return mosquitto;
  }

  /**
   * Resolves when somebody has subscribed to `topic`, spelled as they did. A client says that it is connected before that, and what
   * is published in between reaches nobody.
   */
  subscribed(topic: string): Promise<void> {
    return this.#logged(`${topic} (QoS`);
  }

  stop(): void {
    this.#process.kill();
  }

  /** The same; resolves when its port is free. */
  async stopped(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.stop();
    await ended;
  }

  async #logged(text: string): Promise<void> {
    const ended = once(this.#process, 'exit').then(() => {
      throw new Error(`mosquitto ended:\n${this.#log}`);
    });
    ended.catch(() => {});
    while (!this.#log.includes(text)) await Promise.race([once(this.#process.stderr!, 'data'), ended]);
  }
}
