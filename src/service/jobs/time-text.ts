/** RFC 3339; null where there is no such time. */
export function timeText(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
