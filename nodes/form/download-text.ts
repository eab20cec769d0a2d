/** How a download stands, in words. */
import type { DownloadStatus } from '../m2fp-model/downloads.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import type { Retry } from '../../src/store/retry.ts';
import type { AboutText } from './about-rows.ts';
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
    ...(left === null || left <= 0 ? [] : [text('download.left', { time: durationText(left) })]),
  ].join(' · ');
}

/** Why it waits, and for how long. */
function retryText({ status, seconds, attempt, attempts }: Retry, text: AboutText): string {
  const reason = status === null ? text('download.broken') : text('download.answered', { status });
  return `${reason} · ${text('download.retry', { time: durationText(seconds), attempt, attempts })}`;
}

/** Why it failed and what to do. */
export function problemText(
  { code, message }: NonNullable<DownloadStatus['problem']>,
  text: AboutText,
): string {
  const advice = code === 'M2FP_DOWNLOAD_FAILED' ? [text('download.failedKept')] : [];
  return [sentences([message]), ...advice].join(' ');
}

/** Messages of the store end without a stop. */
export function sentences(texts: readonly string[]): string {
  return texts.map((text) => (/[.!?。！？]$/.test(text) ? text : `${text}.`)).join(' ');
}
