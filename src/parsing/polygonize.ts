/** Outlines in a parsing, beside its masks. */
import { number } from './options/option-table.ts';
import { DEFAULT_IOU, polygonsOf } from './masks/polygons.ts';
import type { Parsing } from './types.ts';

/** How well polygons meet the masks: pixels in both, by pixels in either, at least. */
export const IOU_OPTION = number(0.5, 1, DEFAULT_IOU);

/**
 * `parsing` with `polygons` in its persons and parts, the doubtful ones apart; the parsing itself stays as it is. Pixel work
 * goes in slices between turns of the event loop.
 * @param iou see {@link IOU_OPTION}
 * @throws {M2fpError} `M2FP_NO_PARSING` where a mask is damaged; `M2FP_BAD_OPTION` for an `iou` that is not allowed
 */
export async function withPolygons<T extends Pick<Parsing, 'persons' | 'parts'>>(
  parsing: T,
  iou?: number,
): Promise<T> {
  const least = IOU_OPTION.read('iou', iou);
  const outlined = async <R extends Parsing['persons'][number]>(regions: readonly R[]): Promise<R[]> => {
    const made: R[] = [];
    for (const region of regions)
      made.push({ ...region, polygons: await polygonsOf(region.mask, { iou: least }) });
    return made;
  };
  return { ...parsing, persons: await outlined(parsing.persons), parts: await outlined(parsing.parts) };
}

/** `parsing` without polygons. */
export function withoutPolygons<T extends Pick<Parsing, 'persons' | 'parts'>>(parsing: T): T {
  return {
    ...parsing,
    persons: parsing.persons.map(({ polygons: _polygons, ...person }) => person),
    parts: parsing.parts.map(({ polygons: _polygons, ...part }) => part),
  };
}
