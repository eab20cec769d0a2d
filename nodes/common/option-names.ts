/**
 * `msg.m2fp`: options that hold for one message, by the names that the forms use. One message may pass through
 * several nodes, so every node knows the names of all, and a misspelt one is refused by the first of them.
 */
import { A_PROMISE, isThenable } from '../../src/async.ts';
import { COLORIZE_OPTIONS } from '../../src/parsing/colorize/colorize-options.ts';
import { MASK_OPTIONS } from '../../src/parsing/make-mask/mask-options.ts';
import { namesOf } from '../../src/parsing/options/option-table.ts';
import { badOption, isRecord } from '../../src/parsing/options/options.ts';
import { TRACK_OPTIONS } from '../../src/people/track/track-options.ts';
import { ANSWER_OPTIONS } from '../../src/service/answer-options.ts';
import { DESCRIBE_OPTIONS } from '../../src/people/describe/describe-options.ts';
import { CROP_SETTINGS } from '../m2fp-crop/config.ts';
import { PICTURE_SETTINGS } from '../m2fp-export/config.ts';
import { REDACT_SETTINGS } from '../m2fp-redact/config.ts';
import { M2fpError } from '../../src/errors.ts';
import { PARSE_OPTIONS } from '../../src/engine/options.ts';
import { POLYGON_SETTINGS } from './polygon-settings.ts';
import { QUEUE_SETTINGS } from './queue-fields.ts';

/** The names of each node's options. */
export const OPTION_NAMES = {
  load: ['action'],
  preprocess: ['shortSide', 'longSide'],
  infer: [
    ...namesOf(PARSE_OPTIONS),
    ...namesOf(POLYGON_SETTINGS),
    ...namesOf(QUEUE_SETTINGS),
    'key',
    'priority',
  ],
  colorize: namesOf(COLORIZE_OPTIONS),
  crop: namesOf(CROP_SETTINGS),
  mask: namesOf(MASK_OPTIONS),
  redact: namesOf(REDACT_SETTINGS),
  export: namesOf(PICTURE_SETTINGS),
  describe: namesOf(DESCRIBE_OPTIONS),
  track: namesOf(TRACK_OPTIONS),
  response: namesOf(ANSWER_OPTIONS),
} as const satisfies Record<string, readonly string[]>;

/** A node's type without "m2fp-". */
export type OptionUser = keyof typeof OPTION_NAMES;

const LISTS: Readonly<Record<string, readonly string[]>> = OPTION_NAMES;
const ALL = new Set<string>(Object.values(LISTS).flat());

/**
 * The options that `msg.m2fp` has for the node `user`: those that lie in it, and on top of them those in
 * `msg.m2fp.<user>`, which are for nodes of this type alone (`mode`, for example, means one thing to colorize and
 * another to crop). The values are not checked.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for anything but an object, and for a name that no node has
 */
export function optionsInMessage<T extends object>(
  msg: { readonly [property: string]: unknown },
  user: OptionUser,
): Partial<T> {
  try {
    return optionsIn<T>(msg['m2fp'] ?? {}, user);
  } catch (error) {
    if (error instanceof M2fpError) throw error;
    // A getter or a Proxy of a function node.
    const reason = error instanceof Error ? error.message : String(error);
    throw new M2fpError('M2FP_BAD_OPTION', `The options in msg.m2fp cannot be read: ${reason}`, {
      cause: error,
    });
  }
}

function optionsIn<T extends object>(given: unknown, user: OptionUser): Partial<T> {
  if (isThenable(given)) throw new Error(`they are ${A_PROMISE}.`);
  if (!isRecord(given)) throw badOption('m2fp', given, `an object with any of ${LISTS[user]!.join(', ')}`);

  const own: Record<string, unknown> = {};
  // Names first: the values of a million wrong ones would take ten times as long.
  for (const name of Object.keys(given)) {
    const value = given[name];
    if (Object.hasOwn(LISTS, name)) checkOwn(name, value);
    else if (!ALL.has(name)) throw unknownOption(name, user);
    else if (LISTS[user]!.includes(name)) own[name] = value;
  }
  return { ...own, ...(given[user] as object | undefined) } as Partial<T>;
}

/** `msg.m2fp.<user>`, which may be of another node than the one that reads it. */
function checkOwn(user: string, value: unknown): void {
  const names = LISTS[user]!;
  if (!isRecord(value)) throw badOption(`m2fp.${user}`, value, `an object with any of ${names.join(', ')}`);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw unknownOption(unknown, user);
}

function unknownOption(name: string, user: string): M2fpError {
  return new M2fpError(
    'M2FP_BAD_OPTION',
    `There is no option "${name.slice(0, 80)}" for msg.m2fp; ${user} has ${LISTS[user]!.join(', ')}.`,
  );
}
