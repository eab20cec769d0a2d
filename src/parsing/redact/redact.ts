/** A picture with chosen parts of people made unrecognisable, recoloured or removed. */
import { encodeImage } from '../../image/encode.ts';
import { forEachSlice } from '../../image/slices.ts';
import type { RawImage } from '../../image/types.ts';
import { redactRegions } from './redact-regions.ts';
import { MIME_TYPES } from '../options/image-options.ts';
import type { RedactOptions, RedactPlan } from './redact-options.ts';
import { decodeSource } from '../source.ts';
import type { Parsing } from '../types.ts';
import { findHidden, type Hidden } from './find-hidden.ts';
import { type HiddenBox, hiddenBoxes } from './hidden-boxes.ts';
import { drawOverlays, type Overlay, pictureOverlay, symbolOverlay } from './overlay.ts';

export type { RedactOptions } from './redact-options.ts';

/**
 * Opacity (0 to 255) up to which nothing is left of a pixel. The network sees the picture on white, where the bundled model
 * finds people from an opacity of about 48 on: of fainter ones nobody would know, and their colours lie in the file.
 */
const FAINT = 63;

export interface Redacted {
  /** The encoded picture, of the source's size and without the source's metadata. */
  image: Buffer;
  width: number;
  height: number;
  mime: string;
  /** Pixels that were redacted. */
  area: number;
  /** Whether the parsing has a person, or a part that was to be redacted, other than doubtful ones. */
  found: boolean;
  /** Ids of the persons of whom something was redacted, doubtful ones and those wholly behind others included. */
  persons: number[];
  /** Those on whom the chosen parts were not found; null: the parts that belong to nobody. See `findUncovered`. */
  uncovered: (number | null)[];
  /** Ids of the uncovered persons whose score is below `minScore`: they are left as they are. */
  left: number[];
  /** The ids of the option `persons` that the parsing does not have. */
  missing: number[];
  /** Ids of the persons who were kept as they are by the option `keep`. */
  kept: number[];
  /** The boxes around what was hidden. */
  boxes: HiddenBox[];
}

/**
 * Redacts `parsing`'s picture. Pixel work goes in slices between turns of the event loop; nothing is written into
 * the parsing. {@link findHidden} says which pixels are redacted. What is transparent in the source is so in the result, and
 * what is less than a quarter opaque is, too: the network may have missed who is there.
 *
 * @throws {M2fpError} `M2FP_NO_PARSING` where `parsing` is none, or its picture has another size than it says;
 * `M2FP_BAD_OPTION` naming the option that is wrong.
 */
export async function redact(parsing: Parsing, options?: RedactOptions): Promise<Redacted> {
  const hidden = await findHidden(parsing, options);
  const { plan, boxes, personOf, area, found, persons, uncovered, left, missing, kept } = hidden;
  const source = await decodeSource(parsing, FAINT);
  const drawn = plan.method === 'remove' ? await withAlpha(source) : source;
  await hidePixels(drawn, hidden);
  return {
    image: await encodeImage(drawn, plan.encoding),
    width: parsing.width,
    height: parsing.height,
    mime: MIME_TYPES[plan.encoding.format],
    area,
    found,
    persons,
    uncovered,
    left,
    missing,
    kept,
    boxes: hiddenBoxes(boxes, personOf, parsing),
  };
}

/**
 * Hides pixels of `image`, in place. To `remove` takes 4 channels.
 * @throws {M2fpError} what decoding the picture throws that is to be laid over
 */
export async function hidePixels(
  image: RawImage,
  { plan, isWholeImage, owners, boxes }: Pick<Hidden, 'plan' | 'isWholeImage' | 'owners' | 'boxes'>,
): Promise<void> {
  await redactRegions(image, { owners, boxes }, plan);
  const overlay = await overlayOf(plan);
  if (overlay !== null) await drawOverlays(image, { owners, boxes }, overlay, isWholeImage);
}

/** Null where nothing is laid over. */
async function overlayOf({ method, symbol, overlay }: RedactPlan): Promise<Overlay | null> {
  if (method === 'symbol') return symbolOverlay(symbol);
  return method === 'picture' && overlay !== null ? pictureOverlay(overlay) : null;
}

async function withAlpha({ width, height, channels, data }: RawImage): Promise<RawImage> {
  if (channels === 4) return { width, height, channels, data };
  const rgba = Buffer.alloc(width * height * 4);
  await forEachSlice(width * height, 4, (first, end) => {
    for (let p = first; p < end; p++) {
      rgba[4 * p] = data[3 * p]!;
      rgba[4 * p + 1] = data[3 * p + 1]!;
      rgba[4 * p + 2] = data[3 * p + 2]!;
      rgba[4 * p + 3] = 255;
    }
  });
  return { width, height, channels: 4, data: rgba };
}
