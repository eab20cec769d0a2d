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
