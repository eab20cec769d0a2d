#!/usr/bin/env node
/** The `m2fp` command: picks the command, and turns every error into one line. */
import packageJson from '../../package.json' with { type: 'json' };
import { M2fpError } from '../errors.ts';
import type { Command, Terminal } from './command.ts';
import { compare } from './compare.ts';
import { convert } from './convert.ts';
import { doctor } from './doctor.ts';
import { exportCommand } from './export.ts';
import { Interruption } from './interrupt.ts';
import { models } from './models.ts';
import { parse } from './parse.ts';
import { pull } from './pull.ts';
import { quantize } from './quantize.ts';
import { didYouMean } from './similar.ts';
import { video } from './video.ts';
import { worker } from './worker.ts';

const COMMANDS: readonly Command[] = [
  pull,
  models,
  convert,
  quantize,
  compare,
  parse,
  video,
  exportCommand,
  worker,
  doctor,
];

const HELP_WORDS = ['help', '--help', '-h'];
const VERSION_WORDS = ['--version', '-v', '-V', 'version'];

const HELP = `Usage: m2fp COMMAND [options]

Human parsing with M2FP on the CPU.

Commands:
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join('\n')}

"m2fp COMMAND --help" (or "m2fp help COMMAND") tells more. "m2fp --version" prints the version.
`;

/** Resolves to the exit code; nothing is 0. */
async function main([name, ...args]: string[], terminal: Terminal): Promise<number | void> {
  if (name === undefined || HELP_WORDS.includes(name)) {
    const [about] = args.filter((each) => !HELP_WORDS.includes(each));
    terminal.out.write(about === undefined ? HELP : commandOf(about).help);
  } else if (VERSION_WORDS.includes(name)) {
    terminal.out.write(`${packageJson.version}\n`);
  } else {
    const command = commandOf(name);
    if (args.includes('--help') || args.includes('-h')) terminal.out.write(command.help);
    else return command.run(args, terminal);
  }
}

/** @throws M2fpError M2FP_BAD_OPTION where there is none of that name */
function commandOf(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const guess = didYouMean(name, [
    ...COMMANDS.map((each) => each.name),
    ...(name.startsWith('-') ? ['--help', '--version'] : []),
  ]);
  throw new M2fpError('M2FP_BAD_OPTION', `There is no command "${name}"${guess} (see m2fp --help)`);
}

/** One line, whatever the message: `m2fp: CODE: what is wrong`. */
function line(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const text = message.trim().replaceAll(/\s*\n\s*/g, ' ');
  return error instanceof M2fpError ? `m2fp: ${error.code}: ${text}\n` : `m2fp: ${text}\n`;
}

// Whoever reads the output may stop early ("m2fp convert … 2>&1 | head"): that is no error, and what is being made
// gets finished.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(line(new Error(`The output cannot be written: ${error.message}`)));
  process.exit(1);
});
// There is nowhere left to tell it.
process.stderr.on('error', () => {});

async function start(): Promise<void> {
  try {
    process.exitCode = (await main(process.argv.slice(2), { out: process.stdout, err: process.stderr })) ?? 0;
  } catch (error) {
    process.stderr.write(line(error));
    process.exitCode = error instanceof Interruption ? error.exitCode : 1;
  }
}

void start();
