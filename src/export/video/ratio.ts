/** Fractions, as video files have them for rates and times. */

export interface Ratio {
  num: number;
  den: number;
}

/** Reads `30000/1001` or `16:9`; null for what is no positive fraction, as `0/0`. */
export function readRatio(text: unknown): Ratio | null {
  const [, num, den] = /^(\d+)[/:](\d+)$/.exec(typeof text === 'string' ? text.trim() : '') ?? [];
  const ratio = { num: Number(num), den: Number(den) };
  return ratio.num > 0 && ratio.den > 0 ? ratio : null;
}

/** As ffmpeg's options take it. */
export function ratioText({ num, den }: Ratio): string {
  return `${num}:${den}`;
}

/** Nanoseconds, rounded. @param ticks of `base` seconds each, a whole number from 0 on */
export function toNanoseconds(ticks: number, { num, den }: Ratio): bigint {
  const scaled = BigInt(ticks) * BigInt(num) * 1_000_000_000n;
  return (2n * scaled + BigInt(den)) / (2n * BigInt(den));
}

/** Seconds. */
export function toSeconds(ticks: number, { num, den }: Ratio): number {
  return (ticks * num) / den;
}
