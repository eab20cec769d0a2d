/** What happens to pictures that cannot run at once, in the units of the form. */
import type { QueueOptions, QueuePolicy } from '../../src/engine/types.ts';
import { inForm, number, oneOf, whole } from '../../src/parsing/options/option-table.ts';
import { badOption, numberIn } from '../../src/parsing/options/options.ts';

const POLICIES = ['wait', 'latest', 'reject'] as const satisfies QueuePolicy[];

/** As many as the form takes. */
const MAX_LIMIT = 10_000;

/** A day, seconds. */
const MAX_AGE = 86_400;

/** How far a priority may go, up and down. */
export const MAX_PRIORITY = 1_000_000;

/** What the form says of it, beside the key and the priority, which may come from the message. */
export const QUEUE_SETTINGS = {
  policy: oneOf(POLICIES, 'wait'),
  /** Pictures of this node that may wait, for `wait`; blank = as many as the model's queue takes. */
  limit: whole(0, MAX_LIMIT, 8),
  /** Seconds that a picture may wait; blank or 0 = no limit. */
  maxAge: inForm(number(0, MAX_AGE, 0), { value: '' }),
};

/** The queue's options of one message. */
export interface QueueFields {
  policy?: QueuePolicy | undefined;
  /** Pictures of the node that may wait; undefined = as many as the engine takes in all. */
  limit?: number | undefined;
  /** Seconds; 0 = no limit. */
  maxAge?: number | undefined;
  key?: string | number | undefined;
  priority?: number | undefined;
}

/**
 * The fields without what is undefined.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for a value that is not allowed
 */
export function checkQueueFields({ policy, limit, maxAge, key, priority }: QueueFields): QueueFields {
  if (key !== undefined && keyText(key) === undefined) throw badOption('key', key, 'a text or a number');
  return {
    ...(policy !== undefined && { policy: QUEUE_SETTINGS.policy.read('policy', policy) }),
    ...(limit !== undefined && { limit: QUEUE_SETTINGS.limit.read('limit', limit) }),
    ...(maxAge !== undefined && { maxAge: QUEUE_SETTINGS.maxAge.read('maxAge', maxAge) }),
    ...(key !== undefined && { key }),
    ...(priority !== undefined && { priority: checkPriority(priority) }),
  };
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` for anything but a number */
export function checkPriority(priority: unknown): number {
  return numberIn('priority', priority, { min: -MAX_PRIORITY, max: MAX_PRIORITY }, 0);
}

/** What pictures are told apart by: a number is its text, so that 5 and "5" are one camera; "" where there is nothing; undefined for what is no text and no number. */
export function keyText(value: unknown): string | undefined {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** The fields in the engine's units, for the lane of the node `id`. */
export function toQueueOptions(fields: QueueFields, id: string): QueueOptions {
  const { policy, limit = MAX_LIMIT, maxAge, key, priority } = fields;
  return {
    lane: id,
    limit,
    ...(policy !== undefined && { policy }),
    ...(maxAge !== undefined && { maxAge: Math.round(maxAge * 1000) }),
    ...(key !== undefined && { key: keyText(key) ?? '' }),
    ...(priority !== undefined && { priority }),
  };
}
