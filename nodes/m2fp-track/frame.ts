/** What a message says of the frame that it brings. */
import type { NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { isRecord, show } from '../../src/parsing/options/options.ts';

/** Milliseconds since 1970 that a Date can hold. */
const MAX_TIME = 8.64e15;

export interface FrameFacts {
  /** Whose people are compared: `msg.topic`, else the camera of `msg.frame`, else all messages together. */
  topic: string;
  /** When it was taken, milliseconds since 1970. */
  time: number;
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` where `msg.frame.time` is no time, or topic or camera is neither text nor number */
export function frameOf(msg: NodeMessageInFlow): FrameFacts {
  const frame = isRecord(msg['frame']) ? msg['frame'] : {};
  return {
    topic: topicOf(msg) ?? nameIn('msg.frame.camera', frame['camera']) ?? '',
    time: timeOf(frame['time']),
  };
}

/**
 * `msg.reset`: what is to be forgotten, the topic of the message, or all where it has none; undefined for a frame.
 * @throws {M2fpError} `M2FP_BAD_OPTION` where the topic is neither text nor number
 */
export function resetIn(msg: NodeMessageInFlow): { topic: string | undefined } | undefined {
  return msg['reset'] === true ? { topic: topicOf(msg) } : undefined;
}

function topicOf({ topic }: NodeMessageInFlow): string | undefined {
  return nameIn('msg.topic', topic);
}

/** Numbers count as their texts; undefined where there is none. */
function nameIn(property: string, given: unknown): string | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  if (typeof given === 'string') return given;
  if (typeof given === 'number') return String(given);
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    `${property} is ${show(given)}, and must be a text or a number: it says of which camera the people are.`,
  );
}

function timeOf(given: unknown): number {
  if (given === undefined || given === null) return Date.now();
  const time =
    typeof given === 'string' ? Date.parse(given) : given instanceof Date ? given.getTime() : given;
  if (typeof time === 'number' && Math.abs(time) <= MAX_TIME) return time;
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    `msg.frame.time is ${show(given)}, and must be milliseconds since 1970 or a text such as "2026-11-30T08:15:00Z".`,
  );
}
