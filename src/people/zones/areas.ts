/** Areas that users draw on a camera's picture: zones (polygons) and lines, in shares of its width and height. */
import { badOption, isRecord } from '../../parsing/options/options.ts';

/** A point: x and y from 0 (left, top) to 1 (right, bottom). */
export type Point = readonly [x: number, y: number];

/** What people are counted in, or that they cross. */
export interface Area {
  /** Unique among those of a form; events and states call it so. */
  name: string;
  kind: AreaKind;
  /** The corners of a zone, at least three; the two ends of a line. */
  points: Point[];
}

export type AreaKind = 'zone' | 'line';

export const MAX_AREAS = 50;
/** Corners of a zone. */
export const MAX_POINTS = 100;
/** Letters of a name. */
export const MAX_NAME = 60;

const ALLOWED =
  `a list of at most ${MAX_AREAS} areas such as {"name": "door", "kind": "zone", "points": [[0.1, 0.2], [0.5, 0.2], [0.5, 0.9]]}, ` +
  'with kind "zone" (3 points or more) or "line" (2 points), names of their own, and points from 0 to 1';

/**
 * The areas that a form or a caller gives.
 * @param option what an error calls them
 * @param given a list, or JSON of one; nothing and a blank text are no areas
 * @throws {M2fpError} `M2FP_BAD_OPTION` for anything else, saying what is wrong
 */
export function readAreas(option: string, given: unknown): Area[] {
  const list = typeof given === 'string' ? fromJson(option, given) : (given ?? []);
  if (!Array.isArray(list) || list.length > MAX_AREAS) throw badOption(option, list, ALLOWED);
  const names = new Set<string>();
  return list.map((entry: unknown) => {
    const area = areaOf(entry);
    if (area === undefined || names.has(area.name)) throw badOption(option, entry, ALLOWED);
    names.add(area.name);
    return area;
  });
}

function fromJson(option: string, text: string): unknown {
  if (text.trim() === '') return [];
  try {
    return JSON.parse(text);
  } catch {
    throw badOption(option, text, ALLOWED);
  }
}

/** Undefined where it is none. */
function areaOf(entry: unknown): Area | undefined {
  if (!isRecord(entry)) return undefined;
  const { name, kind = 'zone', points } = entry;
  if (typeof name !== 'string' || !Array.isArray(points)) return undefined;
  const called = name.trim();
  if (called === '' || called.length > MAX_NAME || (kind !== 'zone' && kind !== 'line')) return undefined;
  const fits = kind === 'line' ? points.length === 2 : points.length >= 3 && points.length <= MAX_POINTS;
  return fits && points.every(isPoint) ? { name: called, kind, points } : undefined;
}

function isPoint(value: unknown): value is Point {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((share: unknown) => typeof share === 'number' && share >= 0 && share <= 1)
  );
}
