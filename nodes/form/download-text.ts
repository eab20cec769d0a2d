/** How a download stands, in words. */
import type { DownloadStatus, FormDescription } from './about-answers.ts';
import type { PullPhase, PullProgress } from '../../src/store/progress.ts';
import type { Retry } from '../../src/store/retry.ts';
import type { AboutText } from './about-rows.ts';
import type { Says } from './says.ts';
import { bytesText, durationText } from './amounts.ts';

/**
 * "312 MB of 760 MB · 4.2 MB/s · 2 min left", "converting, 50 %", "the server answered 503 · trying again in 4 s (2 of 5)".
 * @param progress null before it has begun
 */
export function progressText(progress: PullProgress | null, text: AboutText): string {
  if (progress === null) return text('download.begins');
  const { phase, received, total, share, bytesPerSecond, retry } = progress;
  const percent = share === null ? null : Math.floor(share * 100);
  if (phase !== 'download') {
    const key = `download.${phase}`;
    if (retry) return retryText(retry, text);
    return percent === null ? text(key) : text(`${key}Share`, { percent });
  }
  const amount =
    total === null
      ? text('download.received', { received: bytesText(received) })
      : text('download.receivedOf', { received: bytesText(received), total: bytesText(total) });
  if (retry) return `${amount} · ${retryText(retry, text)}`;
  if (!bytesPerSecond) return amount;
  const speed = text('download.speed', { speed: (bytesPerSecond / 1e6).toFixed(1) });
  const left = total === null ? null : (total - received) / bytesPerSecond;
  return [
    amount,
    speed,
    ...(left === null || left <= 0 ? [] : [text('download.left', { time: durationText(left, text) })]),
  ].join(' · ');
}

/** Why it waits, and for how long. */
function retryText({ status, seconds, attempt, attempts }: Retry, text: AboutText): string {
  const reason = status === null ? text('download.broken') : text('download.answered', { status });
  return `${reason} · ${text('download.retry', { time: durationText(seconds, text), attempt, attempts })}`;
}

/** Why it failed and what to do. */
export function problemText(
  { code, message }: NonNullable<DownloadStatus['problem']>,
  text: AboutText,
  says: Says,
): string {
  const advice = code === 'M2FP_DOWNLOAD_FAILED' ? [text('download.failedKept')] : [];
  const said = says(message, code);
  if (advice.length === 0) return said;
  return [/[.!?。！？]$/.test(said) ? said : text('sentence', { said }), ...advice].join(' ');
}

/** What is said of what was cancelled: only of a download something is kept. @param phase undefined before the first */
export function cancelledKey(description: FormDescription | undefined, phase: PullPhase | undefined): string {
  if (description?.precision === 'int8') {
    const isBegun = phase !== undefined && phase !== 'wait' && phase !== 'quantize';
    return isBegun && !description.isCheckpoint ? 'cancelled' : 'cancelledAnew';
  }
  return description?.isCheckpoint ? 'cancelledAnew' : 'cancelled';
}

/** What the button says that gets a model. */
export function startKey(description: FormDescription | undefined): string {
  if (description?.precision === 'int8') return 'int8Now';
  return description?.isCheckpoint ? 'convertNow' : 'now';
}
