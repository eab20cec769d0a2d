/** Polygons, drawn by librsvg: another program decides what lies in them. */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { bridged, joined } from '../../../src/parsing/masks/bridges.ts';
import { polygonsOf } from '../../../src/parsing/masks/polygons.ts';
import type { MaskPolygon } from '../../../src/parsing/types.ts';
import { encodeRle } from '../../../src/parsing/masks/rle.ts';
import { turnsOf } from '../../support/turns.ts';

const pathOf = (corners: readonly number[]): string => {
  const points: string[] = [];
  for (let i = 0; i < corners.length; i += 2) points.push(`${corners[i]} ${corners[i + 1]}`);
  return `M${points.join('L')}Z`;
};

const pathsOf = (polygons: readonly MaskPolygon[]): string[] =>
  polygons.map(({ outer, holes }) => [outer, ...holes].map(pathOf).join(''));

/** The pixels whose middle the paths hold, each path with its holes. */
async function drawn(paths: readonly string[], width: number, height: number): Promise<Uint8Array> {
  const shapes = paths.map((d) => `<path d="${d}" fill="#fff" fill-rule="evenodd"/>`).join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" shape-rendering="crispEdges"><rect width="100%" height="100%"/>${shapes}</svg>`;
  const pixels = await sharp(Buffer.from(svg)).extractChannel(0).raw().toBuffer();
  return pixels.map((value) => (value > 127 ? 1 : 0));
}

function iouOf(a: Uint8Array, b: Uint8Array): number {
  let [both, either] = [0, 0];
  a.forEach((value, p) => {
    both += value & b[p]!;
    either += value | b[p]!;
  });
  return both / either;
}

function signedArea(corners: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < corners.length; i += 2) {
    const next = (i + 2) % corners.length;
    sum += corners[i]! * corners[next + 1]! - corners[next]! * corners[i + 1]!;
  }
  return sum / 2;
}

const maskOf = (rows: readonly string[]): Uint8Array =>
  Uint8Array.from(rows.join(''), (mark) => (mark === '#' ? 1 : 0));

/** Ripples around a hole with an island in it: as a mask may be. */
function ripples(width: number, height: number): Uint8Array {
  const mask = new Uint8Array(width * height);
  const scale = Math.min(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [x - width / 2, y - height / 2];
      const far = Math.hypot(dx, dy) / scale;
      const edge = 0.4 + 0.05 * Math.sin(7 * Math.atan2(dy, dx));
      if ((far < edge && far > 0.2) || far < 0.1) mask[y * width + x] = 1;
    }
  }
  return mask;
}

describe('polygons of a mask', () => {
  it('tell regions, holes and what lies in holes apart', async () => {
    const rows = ['.......', '.#####.', '.#...#.', '.#.#.#.', '.#...#.', '.#####.', '......#'];
    const polygons = await polygonsOf(encodeRle(maskOf(rows), 7, 7), { iou: 1 });
    assert.deepEqual(polygons, [
      { outer: [1, 1, 6, 1, 6, 6, 1, 6], holes: [polygons[0]!.holes[0]!] },
      { outer: [3, 3, 4, 3, 4, 4, 3, 4], holes: [] },
      { outer: [6, 6, 7, 6, 7, 7, 6, 7], holes: [] },
    ]);
    assert.equal(signedArea(polygons[0]!.outer), 25);
    assert.equal(signedArea(polygons[0]!.holes[0]!), -9);
  });

  it('are none of an empty mask, and the picture of a full one', async () => {
    assert.deepEqual(await polygonsOf(encodeRle(new Uint8Array(12), 4, 3)), []);
    const [full] = await polygonsOf(encodeRle(new Uint8Array(12).fill(1), 4, 3));
    assert.deepEqual(full, { outer: [0, 0, 4, 0, 4, 3, 0, 3], holes: [] });
  });

  it('give exactly the mask where every step is kept: random masks', async () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let trial = 0; trial < 30; trial++) {
      const [width, height] = [1 + Math.floor(random() * 24), 1 + Math.floor(random() * 24)];
      const density = random();
      const mask = Uint8Array.from({ length: width * height }, () => (random() < density ? 1 : 0));
      const polygons = await polygonsOf(encodeRle(mask, width, height), { iou: 1 });
      assert.deepEqual([...(await drawn(pathsOf(polygons), width, height))], [...mask], `trial ${trial}`);
      const area = polygons.flatMap(({ outer, holes }) => [outer, ...holes].map(signedArea));
      const sum = area.reduce((a, b) => a + b, 0);
      assert.equal(
        sum,
        mask.reduce((a, b) => a + b, 0),
      );
      for (const { outer, holes } of polygons) {
        assert.ok(signedArea(outer) > 0);
        assert.ok(holes.every((hole) => signedArea(hole) < 0));
      }
    }
  });

  for (const iou of [0.9, 0.98, 0.995]) {
    it(`meet the mask by ${iou} with few corners`, async () => {
      const [width, height] = [300, 240];
      const mask = ripples(width, height);
      const rle = encodeRle(mask, width, height);
      const polygons = await polygonsOf(rle, { iou });
      assert.ok(iouOf(await drawn(pathsOf(polygons), width, height), mask) >= iou - 0.002);
      const corners = (list: MaskPolygon[]): number =>
        list.flatMap(({ outer, holes }) => [outer, ...holes]).reduce((sum, ring) => sum + ring.length / 2, 0);
      const exact = corners(await polygonsOf(rle, { iou: 1 }));
      // Where every step of the border counts, all of them are kept.
      const most = iou <= 0.98 ? exact / 5 : exact;
      assert.ok(corners(polygons) <= most, `${corners(polygons)} of ${exact}`);
      assert.deepEqual(
        polygons.map(({ holes }) => holes.length),
        [1, 0],
      );
    });
  }

  it('have the fewer corners, the less well they are to meet the mask', async () => {
    const [width, height] = [300, 240];
    const rle = encodeRle(ripples(width, height), width, height);
    const counts: number[] = [];
    for (const iou of [0.5, 0.9, 0.98, 0.995]) {
      const polygons = await polygonsOf(rle, { iou });
      counts.push(polygons.flatMap(({ outer, holes }) => [outer, ...holes]).flat().length / 2);
    }
    assert.ok(
      counts.every((count, at) => at === 0 || count > counts[at - 1]!),
      String(counts),
    );
  });

  it('are one ring each where holes are bridged', async () => {
    const [width, height] = [120, 100];
    const mask = ripples(width, height);
    const polygons = await polygonsOf(encodeRle(mask, width, height));
    const rings = await Promise.all(polygons.map(bridged));
    const whole = await drawn(pathsOf(polygons), width, height);
    assert.deepEqual(await drawn(rings.map(pathOf), width, height), whole);
  });

  it('are bridged where hole and border are nearest', async () => {
    // The hole's right side is one pixel from the border, its left side three.
    const rows = ['.........', '.#######.', '.####.##.', '.#######.', '.........'];
    const [polygon] = await polygonsOf(encodeRle(maskOf(rows), 9, 5), { iou: 1 });
    const ring = await bridged(polygon!);
    const lengths = new Map<string, number>();
    for (let i = 0; i < ring.length; i += 2) {
      const next = (i + 2) % ring.length;
      const ends = [`${ring[i]} ${ring[i + 1]}`, `${ring[next]} ${ring[next + 1]}`].toSorted().join(' - ');
      lengths.set(ends, (lengths.get(ends) ?? 0) + 1);
    }
    const bridges = [...lengths].filter(([, count]) => count === 2).map(([ends]) => ends);
    assert.equal(bridges.length, 1);
    // From the hole's corner (6, 2) to the border's (8, 1): no other two corners are as near.
    assert.equal(bridges[0], '6 2 - 8 1');
  });

  it('are one ring in all where regions are joined', async () => {
    const [width, height] = [120, 100];
    const polygons = await polygonsOf(encodeRle(ripples(width, height), width, height));
    assert.ok(polygons.length > 1);
    const ring = await joined(polygons);
    assert.deepEqual(
      await drawn([pathOf(ring)], width, height),
      await drawn(pathsOf(polygons), width, height),
    );
    assert.deepEqual(await joined([]), []);
  });

  it('refuse a tolerance that is none', async () => {
    const mask = encodeRle(new Uint8Array(4), 2, 2);
    await assert.rejects(polygonsOf(mask, { iou: 2 }), { code: 'M2FP_BAD_OPTION' });
  });

  it('let others have their turn', async () => {
    const mask = encodeRle(ripples(2400, 1800), 2400, 1800);
    const { longest } = await turnsOf(() => polygonsOf(mask));
    assert.ok(longest < 50, `${longest} ms`);
  });
});
