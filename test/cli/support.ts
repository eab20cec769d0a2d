/** Runs the command as a user does, and says how it ended. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { withPreload } from '../observe/support/preload.ts';
import { root } from '../support/installed-package.ts';

export interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

/** The built one: it starts several times as fast as the sources, and is what users have. */
export const program = join(root, 'dist', 'cli', 'm2fp.js');

export interface Running {
  child: ChildProcess;
  ended: Promise<Outcome>;
  /** Resolves when the error output holds `text`; rejects where the command ends without. */
  says: (text: string) => Promise<void>;
}

/**
 * @param env in place of variables of this process
 * @param cwd the current folder; default: this process's
 */
export function start(args: string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Running {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }));
  });
  return {
    child,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (err.includes(text)) resolve();
        };
        child.stderr.on('data', look);
        child.on('close', () => reject(new Error(`The command ended without "${text}": ${err}`)));
        look();
      }),
  };
}

export function m2fp(args: string[], env?: NodeJS.ProcessEnv): Promise<Outcome> {
  return start(args, env).ended;
}

/** Runs what must fail with exactly one line, which begins with the code. */
export async function failure(code: string, ...args: string[]): Promise<string> {
  const outcome = await m2fp(args);
  assert.equal(outcome.code, 1, outcome.err);
  assert.equal(outcome.out, '');
  assert.match(outcome.err, new RegExp(`^m2fp: ${code}: [^\n]+\n$`));
  return outcome.err;
}

export async function success(...args: string[]): Promise<Outcome> {
  const outcome = await m2fp(args);
  assert.equal(outcome.code, 0, outcome.err);
  return outcome;
}

/**
 * The environment of a command that sends itself a signal when it writes `text` to its error output: signals from
 * outside would come a little earlier or later each time.
 * @param folder for the program that does it
 * @param times a second one follows as soon as the first was heard
 */
export function interruptedAt(
  text: string,
  signal: NodeJS.Signals,
  folder: string,
  times: 1 | 2 = 1,
): NodeJS.ProcessEnv {
  return withPreload(
    `const { write } = process.stderr;
    if (${times} === 2 && process.send === undefined)
      process.once('${signal}', () => process.kill(process.pid, '${signal}'));
    process.stderr.write = function (text, ...rest) {
      if (String(text).includes(${JSON.stringify(text)})) process.kill(process.pid, '${signal}');
      return write.call(this, text, ...rest);
    };`,
    folder,
  );
}
