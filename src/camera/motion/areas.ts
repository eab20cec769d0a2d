/** Areas of a picture, drawn as polygons, as the pixels that lie in them. */

/** Corners, from 0 to 1 of the picture's width and height. */
export type Polygon = readonly (readonly [x: number, y: number])[];

/** One byte for each pixel, row by row: 1 where its centre lies in one of the polygons. */
export function insideOf(polygons: readonly Polygon[], width: number, height: number): Uint8Array {
  const inside = new Uint8Array(width * height);
  for (const polygon of polygons) {
    for (let y = 0; y < height; y++)
      fillRow(polygon, (y + 0.5) / height, inside.subarray(y * width, (y + 1) * width));
  }
  return inside;
}

/** By the even-odd rule: between the first and the second crossing, the third and the fourth, and so on. */
function fillRow(polygon: Polygon, y: number, row: Uint8Array): void {
  const crossings: number[] = [];
  polygon.forEach(([x1, y1], index) => {
    const [x2, y2] = polygon[(index + 1) % polygon.length]!;
    if (y1 <= y !== y2 <= y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
  });
  crossings.sort((a, b) => a - b);
  for (let i = 0; i + 1 < crossings.length; i += 2) {
    const from = Math.max(0, Math.ceil(crossings[i]! * row.length - 0.5));
    const to = Math.min(row.length, Math.ceil(crossings[i + 1]! * row.length - 0.5));
    if (to > from) row.fill(1, from, to);
  }
}
