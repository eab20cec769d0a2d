/** A real MQTT broker for a test. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/installed-package.ts';
import { requireProgram } from '../../support/programs.ts';

/** Starts mosquitto on `port`; resolves when it listens. */
export async function startMosquitto(port: number): Promise<ChildProcess> {
  const program = requireProgram('mosquitto', 'mosquitto');
  const file = join(temporaryFolder('mosquitto'), 'mosquitto.conf');
  writeFileSync(
    file,
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest stderr\n`,
  );
  const broker = spawn(program, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(broker, 'exit').then(() => assert.fail(`mosquitto ended:\n${log}`));
  ended.catch(() => {});
  let log = '';
  broker.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  while (!log.includes('running')) await Promise.race([once(broker.stderr, 'data'), ended]);
  return broker;
}
