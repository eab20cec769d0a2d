/** How far a pull has come, in a few words. */
import type { PullProgress } from '../../src/store/progress.ts';

/** A text of the shared catalogue, at most 20 characters with its values. */
export interface PullText {
  key: string;
  values: Record<string, string | number>;
}

/** "37 % · 4.2 MB/s", "converting 50 %", "checking", "503: retry in 4 s". */
export function pullText({ phase, share, received, bytesPerSecond, retry }: PullProgress): PullText {
  const key = (name: string): string => `pull.${name}`;
  if (retry) {
    const { status, seconds, attempt, attempts } = retry;
    return status === null
      ? { key: key('retry'), values: { seconds, attempt, attempts } }
      : { key: key('retryStatus'), values: { status, seconds } };
  }
  // Only what is whole shows 100 %.
  const percent = share === null ? null : Math.floor(share * 100);
  if (phase === 'download') {
    const done = percent === null ? 'size' : 'share';
    const values = { share: percent ?? 0, size: Math.floor(received / 1e6) };
    if (bytesPerSecond === null) return { key: key(done), values };
    return { key: key(`${done}Speed`), values: { ...values, speed: shortNumber(bytesPerSecond / 1e6) } };
  }
  if ((phase === 'convert' || phase === 'quantize') && percent !== null)
    return { key: key(`${phase}Share`), values: { share: percent } };
  return { key: key(phase), values: {} };
}

/** Three digits at most before the point, and one behind it where there is room. */
function shortNumber(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0);
}
