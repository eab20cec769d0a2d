/** How long to wait before a camera is asked again. */
import type { OfflineReason } from './camera-error.ts';

interface Pauses {
  first: number;
  longest: number;
}

const SECOND = 1000;
const USUAL: Pauses = { first: SECOND, longest: 30 * SECOND };

const OTHERS: Partial<Record<OfflineReason, Pauses>> = {
  // Many cameras lock a user out after some wrong passwords.
  login: { first: 30 * SECOND, longest: 300 * SECOND },
  'ffmpeg-missing': { first: 30 * SECOND, longest: 60 * SECOND },
};

/** A quarter more or less, so that cameras that went together do not come back in one moment. */
const JITTER = 0.25;

/**
 * The pause after a failure, in milliseconds: twice that of the one before, up to a longest one.
 * @param failures in a row before this one
 * @param random from 0 to 1
 */
export function pauseAfter(
  reason: OfflineReason,
  failures: number,
  random: () => number = Math.random,
): number {
  const { first, longest } = OTHERS[reason] ?? USUAL;
  const pause = Math.min(longest, first * 2 ** Math.min(failures, 20));
  return Math.round(pause * (1 - JITTER + 2 * JITTER * random()));
}
