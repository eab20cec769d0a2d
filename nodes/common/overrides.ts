/** `msg.m2fp`: options that hold for one message, by the names that the forms use. */
import { checkParseOptions } from '../../src/engine/options.ts';
import type { ParseOptions } from '../../src/engine/types.ts';
import { scoreThresholdOf } from '../../src/parsing/index.ts';
import { knownOptions, oneOf } from '../../src/parsing/options.ts';

/** What the load node can do. */
export const ACTIONS = ['load', 'warm-up', 'reload', 'unload', 'info'] as const;
export type Action = (typeof ACTIONS)[number];

interface Overrides extends ParseOptions {
  action?: Action;
}

/** One message may carry the options of several nodes, so every node knows the names of all. */
const NAMES = ['action', 'shortSide', 'longSide', 'scoreThreshold'] as const satisfies (keyof Overrides)[];

/**
 * The options in `msg.m2fp`, checked.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for a name that no node has, and for a value that is not allowed
 */
export function overridesOf(msg: { [key: string]: unknown }): { action?: Action; parse: ParseOptions } {
  const { action, ...parse } = knownOptions((msg['m2fp'] ?? undefined) as Overrides | undefined, NAMES);
  scoreThresholdOf(parse);
  return {
    ...(action !== undefined && { action: checkAction(action) }),
    parse: checkParseOptions(parse),
  };
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` for anything but one of {@link ACTIONS} */
export function checkAction(action: unknown): Action {
  return oneOf('action', action, ACTIONS, 'load');
}
