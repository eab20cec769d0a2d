/** Points, polygons and lines on a picture, in pixels. */

export interface Pixel {
  x: number;
  y: number;
}

/**
 * How deep a point lies in a polygon, pixels from its nearest edge: below 0 outside of it. Edges that cross one another make a
 * polygon with holes, by the even-odd rule.
 */
export function depthIn(polygon: readonly Pixel[], point: Pixel): number {
  let isInside = false;
  let nearest = Infinity;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const a = polygon[i]!;
    const b = polygon[j]!;
    if (a.y > point.y !== b.y > point.y) {
      const x = a.x + ((point.y - a.y) / (b.y - a.y)) * (b.x - a.x);
      if (point.x < x) isInside = !isInside;
    }
    nearest = Math.min(nearest, distanceTo(a, b, point));
  }
  return isInside ? nearest : -nearest;
}

/** From a point to a stretch of a line. */
function distanceTo(a: Pixel, b: Pixel, point: Pixel): number {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length = dx ** 2 + dy ** 2;
  const along = length === 0 ? 0 : ((point.x - a.x) * dx + (point.y - a.y) * dy) / length;
  const share = Math.min(Math.max(along, 0), 1);
  return Math.hypot(point.x - a.x - share * dx, point.y - a.y - share * dy);
}

/** Pixels from the endless line through a and b; above 0 to the right of whoever looks from a to b. */
export function sideOf(a: Pixel, b: Pixel, point: Pixel): number {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length = Math.hypot(dx, dy);
  return length === 0 ? 0 : (dx * (point.y - a.y) - dy * (point.x - a.x)) / length;
}

/** Whether the way from p to q crosses the stretch between a and b, or touches it. */
export function crosses(a: Pixel, b: Pixel, p: Pixel, q: Pixel): boolean {
  const apart = (from: Pixel, to: Pixel, one: Pixel, other: Pixel): boolean =>
    sideOf(from, to, one) * sideOf(from, to, other) <= 0;
  return apart(a, b, p, q) && apart(p, q, a, b);
}
