/** What is shown in place of a picture that must not be. */
import { loadSharp } from '../../image/sharp.ts';
import { encodeImage } from '../../image/encode.ts';
import { Drawing, textWidth } from '../colorize/drawing.ts';
import type { ImageEncoding } from '../options/image-options.ts';

const [BLACK, GREY] = [[0, 0, 0] as const, [200, 200, 200] as const];
/** Where nothing tells how large the picture would have been, pixels. */
export const PLACEHOLDER_SIZE = { width: 640, height: 360 };
const MAX_SIDE = 4096;
/** Of the picture's height and width, the text has at most. */
const [TEXT_HEIGHT, TEXT_WIDTH] = [0.08, 0.8];

/**
 * A black frame with a line of text, encoded.
 * @param size pixels; larger ones are made no larger than 4096 a side
 */
export async function placeholderImage(
  text: string,
  { width, height }: { width: number; height: number },
  encoding: ImageEncoding,
): Promise<Buffer> {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const [wide, high] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const drawing = new Drawing();
  drawing.rect({ x: 0, y: 0, width: wide, height: high }, { fill: BLACK });
  const size = Math.min(TEXT_HEIGHT * high, (TEXT_WIDTH * wide) / Math.max(textWidth(text, 1), 1));
  drawing.text(text, (wide - textWidth(text, size)) / 2, high / 2, size, GREY);
  const sharp = await loadSharp();
  const data = await sharp(drawing.toSvg(wide, high)).removeAlpha().raw().toBuffer();
  return encodeImage({ width: wide, height: high, channels: 3, data }, encoding);
}
