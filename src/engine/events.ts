/**
 * What engines tell about their work, on Node's diagnostics channels: metrics listen without the engine knowing
 * them.
 */
import { channel } from 'node:diagnostics_channel';
import type { M2fpErrorCode } from '../errors.ts';
import type { Timing } from '../parsing/types.ts';
import type { DropReason, RequestCaller } from './types.ts';

/** Which engine: labels of the metrics. */
export interface EngineLabels {
  /** Id of the model. */
  model: string;
  /** First 12 digits of the model's digest. */
  digest: string;
}

/** How a request ended; each has exactly one fate. */
export type Fate = 'completed' | 'failed' | 'rejected' | 'cancelled' | DropReason;

export interface RequestEvent {
  /** Both are blank where it failed before any engine had it. */
  engine: EngineLabels;
  /** Absent where nobody said who asks. */
  caller?: RequestCaller;
  fate: Fate;
  /** For `failed`, `rejected` and `cancelled`. */
  code?: M2fpErrorCode;
  /** Whether the result came from the cache, or from an equal picture before it in line. */
  cached: boolean;
  /** Milliseconds in the queue. */
  queue: number;
  /** Milliseconds; for `completed` that were not cached. */
  timing?: Timing;
}

/** Why a process was replaced; `cancelled`: it was killed for a run that nobody wanted any more. */
export type RestartReason = 'crash' | 'timeout' | 'memory' | 'cancelled';

export interface RestartEvent {
  engine: EngineLabels;
  reason: RestartReason;
}

/** A process ended, by nobody's order, while it had no picture and was not loading: else a request tells of it. */
export interface CrashEvent {
  engine: EngineLabels;
  message: string;
}

export interface LoadEvent {
  engine: EngineLabels;
  /** Seconds that a process took to load the model and to warm up. */
  seconds: number;
}

/** How a message ended at a node: each ends exactly once. */
export interface MessageEndEvent {
  /** The node's type. */
  type: string;
  /** Its name; its id where it has none. */
  node: string;
  /** `dropped`: sent on untouched by the output for such. */
  fate: 'sent' | 'failed' | 'dropped';
  /** For `failed` with an error of ours. */
  code?: M2fpErrorCode;
}

/** A job was accepted, or got its outcome, here; jobs in Redis may get theirs elsewhere. */
export interface JobEvent {
  /** The name of the jobs node; its id where it has none. */
  node: string;
  what: 'accepted' | JobEnd;
}

export type JobEnd = 'done' | 'failed' | 'cancelled' | 'expired';

/**
 * A webhook was called. `delivered`: the receiver has it. `unwanted`: it wants none any more. `failed`: it is called again.
 * `given_up`: it is not.
 */
export interface WebhookEvent {
  node: string;
  outcome: 'delivered' | 'unwanted' | 'failed' | 'given_up';
}

/** One kind of event. */
export interface EventChannel<T> {
  publish(event: T): void;
  /** Returns the function that ends the subscription. What a listener throws ends the program: it must not. */
  subscribe(listener: (event: T) => void): () => void;
}

function eventChannel<T>(name: string): EventChannel<T> {
  const messages = channel(name);
  return {
    publish: (event) => messages.publish(event),
    subscribe(listener) {
      const onMessage = (event: unknown): void => listener(event as T);
      messages.subscribe(onMessage);
      return () => messages.unsubscribe(onMessage);
    },
  };
}

/** One for each request, when it has ended in whatever way. */
export const requestEvents = eventChannel<RequestEvent>('m2fp:request');
/** One for each process that was replaced. */
export const restartEvents = eventChannel<RestartEvent>('m2fp:restart');
/** One for each process that ended by itself while nothing ran. */
export const crashEvents = eventChannel<CrashEvent>('m2fp:crash');
/** One for each process that has become ready. */
export const loadEvents = eventChannel<LoadEvent>('m2fp:load');
/** One for each job that is accepted, and one when it has its outcome. */
export const jobEvents = eventChannel<JobEvent>('m2fp:job');
/** One for each call of a webhook. */
export const webhookEvents = eventChannel<WebhookEvent>('m2fp:webhook');
/** One for each message of a node, when it has ended. */
export const messageEvents = eventChannel<MessageEndEvent>('m2fp:message');
