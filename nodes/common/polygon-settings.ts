/** Whether infer tells the outlines of what it finds, too. */
import {
  flag,
  type GivenOptions,
  optionsInFields,
  readOptions,
} from '../../src/parsing/options/option-table.ts';
import { IOU_OPTION, withPolygons } from '../../src/parsing/polygonize.ts';
import type { Parsing } from '../../src/parsing/types.ts';

export const POLYGON_SETTINGS = {
  /** Whether persons and parts get `polygons`. */
  polygons: flag(false),
  /** How well they meet the masks. */
  iou: IOU_OPTION,
};

export type PolygonSettings = GivenOptions<typeof POLYGON_SETTINGS>;

/**
 * What the form says, and a message on top of it.
 * @throws {M2fpError} `M2FP_BAD_OPTION`
 */
export function polygonSettings(
  config: { readonly [Name in keyof typeof POLYGON_SETTINGS]?: unknown },
  own: PolygonSettings,
): { polygons: boolean; iou: number } {
  return readOptions(POLYGON_SETTINGS, { ...optionsInFields(POLYGON_SETTINGS, config), ...own });
}

/** `parsing`, with polygons where they were asked for. */
export async function outlined(
  parsing: Parsing,
  { polygons, iou }: { polygons: boolean; iou: number },
): Promise<Parsing> {
  return polygons ? withPolygons(parsing, iou) : parsing;
}
