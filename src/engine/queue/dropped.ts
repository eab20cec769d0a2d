/** A request that its own queue options gave up: no failure, but no result either. */
import type { DropReason } from '../types.ts';

export class DroppedRequest extends Error {
  override readonly name = 'DroppedRequest';
  /** Says what it is also where a bundle holds the class twice. */
  readonly dropped: DropReason;

  constructor(reason: DropReason) {
    super(
      reason === 'replaced'
        ? 'A newer picture took its place before it was its turn.'
        : 'It waited longer than its maximum age.',
    );
    this.dropped = reason;
  }
}

/** Why the request was dropped; undefined where `error` is something else. */
export function dropReasonOf(error: unknown): DropReason | undefined {
  const reason = (error as { dropped?: unknown } | null | undefined)?.dropped;
  return reason === 'replaced' || reason === 'expired' ? reason : undefined;
}
