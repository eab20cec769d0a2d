/** Programs that the tests run and wait for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** What it reads. */
  input?: string | Buffer;
  /** Milliseconds, 5 minutes if not given; then it is killed. */
  timeout?: number;
}

export interface Ran {
  code: number | null;
  stdout: string;
  /** Both streams as they came. */
  output: string;
}

/** Resolves when it has ended, however. */
export async function tryRun(program: string, args: string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env = process.env, input, timeout = 300_000 } = options;
  const child = spawn(program, args, { cwd, env, timeout, killSignal: 'SIGKILL' });
  const ran: Ran = { code: null, stdout: '', output: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    ran.stdout += text;
    ran.output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.output += text));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  [ran.code] = (await once(child, 'close')) as [number | null];
  return ran;
}

/** What it wrote to its standard output; fails with all that it wrote where it ends with an error. */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, output } = await tryRun(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output}`);
  return stdout.trim();
}

/** Ends a process that runs, and resolves when it has ended. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** Asks every 100 ms until `question` has an answer; fails with its last error. */
export async function until<T>(
  what: string,
  question: () => Promise<T | undefined | false>,
  milliseconds = 60_000,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  let last: unknown;
  do {
    try {
      const answer = await question();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  } while (performance.now() < deadline);
  const why = last instanceof Error ? `\n${last.message}` : '';
  throw new Error(`Not within ${milliseconds / 1000} s: ${what}${why}`, { cause: last });
}
