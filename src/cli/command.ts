/** What the commands share: their description, and reading what the user typed. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { M2fpError } from '../errors.ts';

/** Where a command writes. Everything that a program reads goes to `out`, everything for eyes only to `err`. */
export interface Terminal {
  out: NodeJS.WriteStream;
  err: NodeJS.WriteStream;
}

export interface Command {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** The text of `m2fp NAME --help`. */
  help: string;
  run(args: string[], terminal: Terminal): Promise<void>;
}

/** The options typed, by name, and the one argument beside them. */
export interface Typed<Name extends string> {
  argument: string;
  options: Partial<Record<Name, string>>;
}

/**
 * Reads a command's options, each of which takes a value, and its one argument.
 * @throws M2fpError M2FP_BAD_OPTION for an unknown option, one without a value, and more or less than one argument
 */
export function readArguments<Name extends string>(
  command: Pick<Command, 'name'>,
  args: string[],
  argument: string,
  names: readonly Name[],
): Typed<Name> {
  const options: ParseArgsOptionsConfig = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  let typed;
  try {
    typed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // Node's text goes on with advice on "--": the first sentence says it.
    const [reason] = (error as Error).message.split('. ');
    throw badUsage(command, reason!);
  }
  const [first, ...more] = typed.positionals;
  if (first === undefined) throw badUsage(command, `${argument} is missing`);
  if (more.length > 0) throw badUsage(command, `Only one ${argument} is taken, not also ${more.join(' ')}`);
  return { argument: first, options: typed.values as Partial<Record<Name, string>> };
}

function badUsage({ name }: Pick<Command, 'name'>, reason: string): M2fpError {
  return new M2fpError('M2FP_BAD_OPTION', `${reason} (see m2fp ${name} --help)`);
}

/** @throws M2fpError M2FP_BAD_OPTION for a text that is no number */
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) {
    throw new M2fpError('M2FP_BAD_OPTION', `--${name} takes a number, not "${text}"`);
  }
  return number;
}

/** @throws M2fpError M2FP_BAD_OPTION for a text that is none of `choices` */
export function choiceOption<Choice extends string>(
  name: string,
  text: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (text === undefined || choices.includes(text as Choice)) return text as Choice | undefined;
  throw new M2fpError('M2FP_BAD_OPTION', `--${name} takes ${choices.join(', ')}, not "${text}"`);
}
