/** Numbers as people read them. */

/** "253 MB", "1.2 GB". */
export function bytesText(bytes: number): string {
  return bytes < 999.5e6 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** "0.08", "1.4", "12": two digits, and whole seconds from ten on. */
export function secondsText(seconds: number): string {
  if (seconds < 0.995) return seconds.toFixed(2);
  return seconds < 9.95 ? seconds.toFixed(1) : String(Math.round(seconds));
}

/** A time in words' units: "45 s", "3 min", "1 h 20 min"; from a minute on it is rounded up. */
export function durationText(
  seconds: number,
  text: (key: string, values: Record<string, number>) => string,
): string {
  if (seconds < 59.5) return text('duration.seconds', { seconds: Math.max(1, Math.round(seconds)) });
  const minutes = Math.ceil(seconds / 60 - 0.01);
  if (minutes < 60) return text('duration.minutes', { minutes });
  return text('duration.hours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}
