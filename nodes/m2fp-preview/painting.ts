/** The picture of the enlarged view: the source, and over it the colours of what is shown. */
import type { PreviewLabel } from '../../src/parsing/colorize/preview.ts';

/** Interleaved red, green, blue and alpha; of the maps red is the label's code and green the person's id. */
export type Pixels = Uint8ClampedArray<ArrayBuffer>;

export type Rgb = readonly [number, number, number];

export function rgbOf(color: string): Rgb {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** What to paint. */
export interface Layer {
  labels: readonly PreviewLabel[];
  /** Codes of labels that are not painted. */
  hidden: ReadonlySet<number>;
  /** 0 the source, 1 the colours alone. */
  opacity: number;
}

/**
 * Paints into `target`. Where nothing is shown the source stays as it is, and darkens towards the colours alone:
 * a map has a black background.
 */
export function paint(
  target: Pixels,
  source: Pixels,
  maps: Pixels,
  { labels, hidden, opacity }: Layer,
): void {
  const colors = new Map<number, Rgb>();
  for (const { code, color } of labels) if (!hidden.has(code)) colors.set(code, rgbOf(color));
  // Up to an overlay of this strength the background stays as it is.
  const dark = Math.max(0, (opacity - 0.75) / 0.25);
  for (let at = 0; at < target.length; at += 4) {
    const color = colors.get(maps[at]!);
    for (let channel = 0; channel < 3; channel++) {
      const own = source[at + channel]!;
      target[at + channel] = color === undefined ? own * (1 - dark) : own + (color[channel]! - own) * opacity;
    }
    target[at + 3] = 255;
  }
}

/** What lies at a pixel. */
export interface Found {
  label: PreviewLabel | undefined;
  /** 0 nobody. */
  person: number;
}

export function lookUp(
  maps: Pixels,
  width: number,
  x: number,
  y: number,
  labels: readonly PreviewLabel[],
): Found {
  const from = 4 * (y * width + x);
  return { label: labels.find(({ code }) => code === maps[from]), person: maps[from + 1] ?? 0 };
}
