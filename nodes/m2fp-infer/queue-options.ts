/** What the form and the message say about waiting. */
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import type { QueueOptions } from '../../src/engine/types.ts';
import { M2fpError } from '../../src/errors.ts';
import { badOption } from '../../src/parsing/options/options.ts';
import { numberField } from '../common/fields.ts';
import { overridesOf } from '../common/message-options.ts';
import { evaluate } from '../common/property.ts';
import {
  checkPriority,
  checkQueueFields,
  keyText,
  type QueueFields,
  toQueueOptions,
} from '../common/queue-fields.ts';
import type { InferConfig } from './config.ts';

/**
 * The options of one message: the node is its lane.
 * @param overrides of the message, which count before the form
 * @throws {M2fpError} `M2FP_BAD_OPTION`
 */
export async function queueOf(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  config: InferConfig,
  overrides: QueueFields,
): Promise<QueueOptions> {
  const form: QueueFields = {
    policy: config.policy,
    limit: numberField('limit', config.limit),
    maxAge: numberField('maxAge', config.maxAge),
  };
  const fields = checkQueueFields({
    ...form,
    priority: await priorityOf(RED, node, msg, config),
    ...overrides,
  });
  if (fields.policy === 'latest') fields.key = keyOf(RED, msg, config, overrides);
  return toQueueOptions(fields, node.id);
}

/**
 * By what the message's picture is told apart from others, "" where it brings nothing.
 * @throws {M2fpError} `M2FP_BAD_OPTION` where that is no text and no number
 */
export function keyOf(
  RED: NodeAPI,
  msg: NodeMessageInFlow,
  config: InferConfig,
  overrides: QueueFields,
): string {
  const value = overrides.key ?? propertyOf(RED, msg, config.key);
  const key = keyText(value);
  if (key === undefined) throw badOption('key', value, `a text or a number in msg.${config.key}`);
  return key;
}

/** The camera that metrics count the picture for, "" where the form names none or the message brings none. */
export function cameraOf(RED: NodeAPI, msg: NodeMessageInFlow, { camera }: InferConfig): string {
  return keyText(propertyOf(RED, msg, camera)) ?? '';
}

/** Whether the message's picture is told apart by `key`; one whose options are wrong has no key. */
export function hasKey(RED: NodeAPI, msg: NodeMessageInFlow, config: InferConfig, key: string): boolean {
  try {
    return keyOf(RED, msg, config, overridesOf(msg, 'infer').queue) === key;
  } catch {
    return false;
  }
}

async function priorityOf(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  { priority, priorityType }: InferConfig,
): Promise<number | undefined> {
  if (priority === '') return undefined;
  if (priorityType === 'msg') return checkPriority(propertyOf(RED, msg, priority) ?? undefined);
  const value = await evaluate(RED, node, msg, { value: priority, type: priorityType }).catch(
    (cause: Error) => {
      const problem = `There is no priority in ${priorityType}.${priority}: ${cause.message}`;
      throw new M2fpError('M2FP_BAD_OPTION', problem, { cause });
    },
  );
  return checkPriority(Number.isNaN(value) ? priority : value);
}

/** Undefined also where the way to the property breaks off. */
function propertyOf(RED: NodeAPI, msg: NodeMessageInFlow, path: string): unknown {
  if (path === '') return undefined;
  try {
    return RED.util.getMessageProperty(msg, path) as unknown;
  } catch {
    return undefined;
  }
}
