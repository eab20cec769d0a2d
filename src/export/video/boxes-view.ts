/** A video with a box around each person, and the number that stays. */
import type { RawImage } from '../../image/types.ts';
import { layOver } from '../../parsing/colorize/colorize.ts';
import { Drawing, inkOn, textWidth } from '../../parsing/colorize/drawing.ts';
import { personColor } from '../../parsing/options/palette.ts';
import type { TrackedParsing } from '../../people/track/types.ts';
import { boxesBetween, boxesOf, type PersonBox } from './person-boxes.ts';
import type { Drawn, View } from './view.ts';

/** Of the shorter side. */
const LINE = 0.004;
const TEXT = 0.025;
const [LEAST_LINE, LEAST_TEXT] = [2, 11];
/** Height of what text stands on, and the blank beside it, in font sizes. */
const [TEXT_HEIGHT, TEXT_SIDE] = [1.35, 0.35];

export class BoxesView implements View<readonly PersonBox[]> {
  read(parsing: TrackedParsing, frame: number): Promise<readonly PersonBox[]> {
    return Promise.resolve(boxesOf(parsing, frame));
  }

  drawParsed(image: RawImage, own: readonly PersonBox[]): Promise<Drawn> {
    return draw(image, own);
  }

  drawBetween(
    image: RawImage,
    before: readonly PersonBox[] | undefined,
    after: readonly PersonBox[] | undefined,
    share: number,
  ): Promise<Drawn> {
    return draw(image, boxesBetween(before, after, share));
  }
}

async function draw(image: RawImage, boxes: readonly PersonBox[]): Promise<Drawn> {
  const { width, height } = image;
  const side = Math.min(width, height);
  const line = Math.max(LEAST_LINE, Math.round(LINE * side));
  const size = Math.max(LEAST_TEXT, Math.round(TEXT * side));
  const drawing = new Drawing();
  for (const box of boxes) drawBox(drawing, box, line, size);
  const drawn = drawing.isEmpty ? image : await layOver(image, drawing, width, height);
  return { image: drawn, hidden: [], isBlack: false };
}

function drawBox(drawing: Drawing, box: PersonBox, line: number, size: number): void {
  const { x, y, width, height, track, score } = box;
  const fill = personColor(track ?? 0);
  for (const edge of [
    { x, y, width, height: line },
    { x, y: y + height - line, width, height: line },
    { x, y, width: line, height },
    { x: x + width - line, y, width: line, height },
  ]) {
    drawing.rect(edge, { fill });
  }
  const text = `${track === null ? '' : `#${track} `}${score.toFixed(2)}`;
  const [high, side] = [size * TEXT_HEIGHT, size * TEXT_SIDE];
  // Above the box where there is room, else inside.
  const top = y >= high ? y - high : y;
  drawing.rect({ x, y: top, width: textWidth(text, size) + 2 * side, height: high }, { fill });
  drawing.text(text, x + side, top + high / 2, size, inkOn(fill));
}
