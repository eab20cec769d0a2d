/** `msg.m2fp`: options that hold for one message, by the names that the forms use. */
import { checkParseOptions } from '../../src/engine/options.ts';
import type { ParseOptions } from '../../src/parsing/types.ts';
import { oneOf } from '../../src/parsing/options/options.ts';
import { optionsInMessage } from './option-names.ts';
import type { PolygonSettings } from './polygon-settings.ts';
import { checkQueueFields, type QueueFields } from './queue-fields.ts';

/** What the load node can do. */
export const ACTIONS = ['load', 'warm-up', 'reload', 'unload', 'info'] as const;
export type Action = (typeof ACTIONS)[number];

interface Overrides extends ParseOptions, QueueFields, PolygonSettings {
  action?: Action;
}

/** What `msg.m2fp` says, without what it leaves open. */
export interface MessageOptions {
  action?: Action;
  parse: ParseOptions;
  queue: QueueFields;
  polygons: PolygonSettings;
}

/**
 * The options in `msg.m2fp` that the node `node` has, checked.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for a name that no node has, and for a value that is not allowed
 */
export function overridesOf(
  msg: { readonly [property: string]: unknown },
  node: 'load' | 'preprocess' | 'infer',
): MessageOptions {
  const given = optionsInMessage<Overrides>(msg, node);
  const { action, policy, limit, maxAge, key, priority, polygons, iou, ...parse } = given;
  return {
    ...(action !== undefined && { action: checkAction(action) }),
    parse: checkParseOptions(parse),
    queue: checkQueueFields({ policy, limit, maxAge, key, priority }),
    polygons: { ...(polygons !== undefined && { polygons }), ...(iou !== undefined && { iou }) },
  };
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` for anything but one of {@link ACTIONS} */
export function checkAction(action: unknown): Action {
  return oneOf('action', action, ACTIONS, 'load');
}
