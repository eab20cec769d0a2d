/** Colours as pixels: on the background's colour, on nothing, or over the source. */
import { forEachSlice } from '../../image/slices.ts';
import { loadSharp } from '../../image/sharp.ts';
import type { RawImage } from '../../image/types.ts';
import type { Canvas } from './canvas.ts';
import { backgroundColor, colorOf, type ColorizePlan } from './colorize-options.ts';

/** What to draw. */
export interface Layer extends Canvas {
  /** 1 where a line goes, which lies above everything. */
  contours: Uint8Array | null;
  /** Red, green and blue of each key, see {@link keyOf}. */
  colors: Uint8Array;
  /** The key of a pixel is its code times the first, plus its person times the second. */
  weights: readonly [code: number, person: number];
}

/** The colours of all codes and persons of a picture. */
export function layerOf(canvas: Canvas, contours: Uint8Array | null, plan: ColorizePlan): Layer {
  const weights = { label: [1, 0], person: [0, 1], 'person-part': [1, 256] }[plan.by] as [number, number];
  const [codeWeight, personWeight] = weights;
  const count = (codeWeight > 0 ? 256 : 1) * (personWeight > 0 ? 256 : 1);
  const colors = new Uint8Array(3 * count);
  for (let key = 0; key < count; key++) {
    const code = codeWeight > 0 ? key & 255 : 0;
    const person = personWeight > 0 ? Math.floor(key / personWeight) : 0;
    colors.set(colorOf(plan, code, person), 3 * key);
  }
  return { ...canvas, contours, colors, weights };
}

/** Colours on the background's colour or on nothing. */
export async function drawMap(
  width: number,
  height: number,
  layer: Layer,
  plan: ColorizePlan,
): Promise<RawImage> {
  const { codes, persons, contours, colors, weights } = layer;
  const [codeWeight, personWeight] = weights;
  const isClear = plan.background === 'remove';
  const channels = isClear ? 4 : 3;
  const data = Buffer.alloc(width * height * channels);
  const background = backgroundColor(plan);
  await forEachSlice(width * height, 4, (first, end) => {
    for (let p = first, to = first * channels; p < end; p++, to += channels) {
      const isLine = contours !== null && contours[p] === 1;
      if (!isLine && codes[p] === 0) {
        if (isClear) continue;
        data[to] = background[0];
        data[to + 1] = background[1];
        data[to + 2] = background[2];
        continue;
      }
      const from = 3 * (codeWeight * codes[p]! + personWeight * persons[p]!);
      data[to] = isLine ? plan.contourColor[0] : colors[from]!;
      data[to + 1] = isLine ? plan.contourColor[1] : colors[from + 1]!;
      data[to + 2] = isLine ? plan.contourColor[2] : colors[from + 2]!;
      if (channels === 4) data[to + 3] = 255;
    }
  });
  return { width, height, channels, data };
}

/**
 * Colours over the source's pixels: source + (colour - source) x opacity, rounded; as opaque as the source is there, so
 * that what is transparent stays so. May draw into `source` itself.
 */
export async function drawOverlay(source: RawImage, layer: Layer, plan: ColorizePlan): Promise<RawImage> {
  const { codes, persons, contours, colors, weights } = layer;
  const [codeWeight, personWeight] = weights;
  const { width, height } = source;
  const ground = await groundOf(source, plan);
  const { channels, data } = ground;
  await forEachSlice(width * height, 6, (first, end) => {
    for (let p = first; p < end; p++) {
      const isLine = contours !== null && contours[p] === 1;
      if (!isLine && codes[p] === 0) continue;
      const from = p * source.channels;
      const seen = source.channels === 4 ? source.data[from + 3]! : 255;
      if (seen === 0) continue;
      const to = p * channels;
      const colorAt = 3 * (codeWeight * codes[p]! + personWeight * persons[p]!);
      const opacity = isLine ? 1 : plan.opacity;
      for (let channel = 0; channel < 3; channel++) {
        const color = isLine ? plan.contourColor[channel]! : colors[colorAt + channel]!;
        const given = source.data[from + channel]!;
        data[to + channel] = Math.round(given + (color - given) * opacity);
      }
      if (channels === 4) data[to + 3] = seen;
    }
  });
  return ground;
}

/** What stays to be seen where nothing is painted, of the source's size. */
async function groundOf(source: RawImage, plan: ColorizePlan): Promise<RawImage> {
  const { width, height, channels } = source;
  switch (plan.background) {
    case 'remove':
      return { width, height, channels: 4, data: Buffer.alloc(width * height * 4) };
    case 'blur':
      return blurred(source, plan.blurRadius || Math.max(1, 0.015 * Math.max(width, height)));
    case 'dim': {
      const shades = Uint8Array.from({ length: 256 }, (_, value) => Math.round(value * (1 - plan.dim)));
      const data = Buffer.alloc(source.data.length);
      await forEachSlice(width * height, 4, (first, end) => {
        for (let at = first * channels; at < end * channels; at++) {
          data[at] = channels === 4 && (at & 3) === 3 ? source.data[at]! : shades[source.data[at]!]!;
        }
      });
      return { ...source, data };
    }
    default:
      return source;
  }
}

/** Off the main thread, but for alpha, which stays as it is. The least radius that sharp knows is 0.3. */
async function blurred({ width, height, channels, data }: RawImage, radius: number): Promise<RawImage> {
  const sharp = await loadSharp();
  const image = sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
  const soft = await image.blur(Math.max(0.3, radius)).raw().toBuffer();
  if (channels === 4) {
    await forEachSlice(width * height, 2, (first, end) => {
      for (let at = 4 * first; at < 4 * end; at += 4) {
        if (data[at + 3] === 0) soft.fill(0, at, at + 4);
        else soft[at + 3] = data[at + 3]!;
      }
    });
  }
  return { width, height, channels, data: soft };
}
