/** What becomes of requests, and who is told. */
import { asM2fpError, type M2fpErrorCode } from '../../errors.ts';
import { type Fate, requestEvents } from '../events.ts';
import type { RequestCaller } from '../types.ts';
import { dropReasonOf } from './dropped.ts';

/** @param admitted whether it got as far as the line */
export function fateOf(error: unknown, admitted: boolean): { fate: Fate; code?: M2fpErrorCode } {
  const reason = dropReasonOf(error);
  if (reason !== undefined) return { fate: reason };
  const { code } = asM2fpError(error, 'M2FP_ENGINE_CRASHED');
  if (code === 'M2FP_CANCELLED') return { fate: 'cancelled', code };
  return { fate: admitted ? 'failed' : 'rejected', code };
}

/** Tells of a request that ended before any engine had it: a bad picture, a model that is not to be had. */
export function countRefusal(caller: RequestCaller, error: unknown): void {
  const engine = { model: '', digest: '' };
  requestEvents.publish({ engine, caller, ...fateOf(error, false), cached: false, queue: 0 });
}
