/** A parsing as JSON: what `msg.payload` of infer has, and the masks in the form that was asked for. */
import { encodeNumbers } from '../parsing/colorize/indexed-png.ts';
import { coverOf } from '../parsing/masks/masks.ts';
import { withoutPolygons, withPolygons } from '../parsing/polygonize.ts';
import { type ParsingSummary, summarize } from '../parsing/summary.ts';
import type { Box, Parsing, Rle } from '../parsing/types.ts';
import type { AnswerPlan } from './answer-options.ts';
import type { View } from './view.ts';

/** What a person or a part gets beside its summary, which has the polygons: one of these, or nothing. */
export interface MaskForms {
  /** COCO's compressed run-length encoding, of the whole picture. */
  mask?: Rle;
  /** Base64 of a grey PNG as large as `box`: 255 inside, 0 outside. */
  png?: string;
}

type Region = ParsingSummary['persons'][number] | ParsingSummary['parts'][number];

/** @returns the summary with masks, as plain data */
export async function jsonOf(parsing: Parsing, plan: AnswerPlan): Promise<ParsingSummary> {
  if (plan.masks === 'polygon') return summarize(await withPolygons(parsing, plan.iou));
  const summary = await summarize(withoutPolygons(parsing));
  if (plan.masks === 'none') return summary;
  const withMasks = async <T extends Region>(regions: T[], masks: readonly { mask: Rle; box: Box }[]) => {
    const made: (T & MaskForms)[] = [];
    for (const [at, region] of regions.entries()) {
      made.push({ ...region, ...(await maskForm(masks[at]!, plan)) });
    }
    return made;
  };
  return {
    ...summary,
    persons: await withMasks(summary.persons, parsing.persons),
    parts: await withMasks(summary.parts, parsing.parts),
  };
}

async function maskForm({ mask, box }: { mask: Rle; box: Box }, { masks }: AnswerPlan): Promise<MaskForms> {
  if (masks === 'rle') return { mask: { size: [...mask.size], counts: mask.counts } };
  const { width, height } = box;
  if (width === 0 || height === 0) return { png: '' };
  const { alpha } = await coverOf([mask], box);
  const png = await encodeNumbers(alpha, width, height);
  return { png: png.toString('base64') };
}

/** A value as JSON, with the picture in `picture`: its base64 is not read once more to be escaped. */
export function encodeJson(value: object, view?: View): Buffer {
  const text = JSON.stringify(value);
  if (view === undefined) return Buffer.from(text);
  const { mime, width, height, image } = view;
  const picture = JSON.stringify({ type: mime, width, height, data: '' });
  return Buffer.concat([
    Buffer.from(`${text.slice(0, -1)},"picture":${picture.slice(0, -2)}`),
    Buffer.from(image.toString('base64'), 'latin1'),
    Buffer.from('"}}'),
  ]);
}
