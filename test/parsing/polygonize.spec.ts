import assert from 'node:assert/strict';
import { withoutPolygons, withPolygons } from '../../src/parsing/polygonize.ts';
import { summarize } from '../../src/parsing/summary.ts';
import type { MaskPolygon } from '../../src/parsing/types.ts';
import { exampleParsing } from '../nodes/support/fake-engine.ts';
import { parsingOf } from './scene.ts';
import { people } from './make-mask/people.ts';

/** Pixels whose middle lies in an odd number of the rings. */
function pixelsIn(polygons: readonly MaskPolygon[], width: number, height: number): Uint8Array {
  const rings = polygons.flatMap(({ outer, holes }) => [outer, ...holes]);
  return Uint8Array.from({ length: width * height }, (_, p) => {
    const [x, y] = [(p % width) + 0.5, Math.floor(p / width) + 0.5];
    let inside = 0;
    for (const ring of rings) {
      for (let i = 0, last = ring.length - 2; i < ring.length; last = i, i += 2) {
        const [ax, ay, bx, by] = [ring[last]!, ring[last + 1]!, ring[i]!, ring[i + 1]!];
        if (ay > y !== by > y && x < ax + ((y - ay) * (bx - ax)) / (by - ay)) inside ^= 1;
      }
    }
    return inside;
  });
}

describe('withPolygons', () => {
  it('gives persons and parts their outlines, with holes, and leaves the parsing', async () => {
    const parsing = await parsingOf({
      width: 5,
      height: 5,
      labels: ['Background', 'Coat', 'Human'],
      persons: [{ rows: ['.....', '.###.', '.###.', '.###.', '.....'] }],
      parts: [{ index: 1, person: 1, rows: ['#....', '.###.', '.#.#.', '.###.', '.....'] }],
    });
    const before = structuredClone(parsing);
    const { persons, parts, doubtful } = await withPolygons(parsing, 1);
    assert.deepEqual(persons[0]!.polygons, [{ outer: [1, 1, 4, 1, 4, 4, 1, 4], holes: [] }].map(rotated));
    const [large, small] = parts[0]!.polygons!;
    assert.deepEqual([large!.holes.length, small!.holes.length], [1, 0]);
    assert.equal(small!.outer.length, 8);
    assert.deepEqual(doubtful, parsing.doubtful);
    assert.deepEqual(structuredClone(parsing), before);

    /** The ring, from the corner on that the traced one begins with. */
    function rotated({ outer, holes }: MaskPolygon): MaskPolygon {
      const [x, y] = persons[0]!.polygons![0]!.outer;
      const at = outer.findIndex((_, i) => i % 2 === 0 && outer[i] === x && outer[i + 1] === y);
      return { outer: [...outer.slice(at), ...outer.slice(0, at)], holes };
    }
  });

  for (const iou of [undefined, 0.9, 1]) {
    it(`overlaps with the masks as well as it shall: ${iou ?? 'by default'}`, async () => {
      const parsing = await people('standing');
      const { width, height } = parsing;
      const { parts } = await withPolygons(parsing, iou);
      let corners = 0;
      for (const { polygons, index } of parts) {
        const made = pixelsIn(polygons!, width, height);
        let [both, either] = [0, 0];
        for (const [p, value] of made.entries()) {
          const isSet = parsing.labelMap[p] === index ? 1 : 0;
          both += value & isSet;
          either += value | isSet;
        }
        assert.ok(both / either >= (iou ?? 0.98), `${both / either}`);
        corners += polygons!.reduce((sum, { outer }) => sum + outer.length / 2, 0);
      }
      assert.ok(iou !== 0.9 || corners < 300, `${corners} corners`);
    });
  }

  it('refuses what is no share, and damaged masks', async () => {
    const parsing = await exampleParsing();
    for (const iou of [0.4, 1.1, Number.NaN, '0.9']) {
      await assert.rejects(withPolygons(parsing, iou as number), {
        code: 'M2FP_BAD_OPTION',
        message: /"iou"/,
      });
    }
    const persons = parsing.persons.map((person) => ({ ...person, mask: { ...person.mask, counts: '~' } }));
    await assert.rejects(withPolygons({ ...parsing, persons }), { code: 'M2FP_NO_PARSING' });
  });

  it('is told by the summary, and taken back by withoutPolygons', async () => {
    const parsing = await exampleParsing();
    const outlined = await withPolygons(parsing);
    const summary = await summarize(outlined);
    assert.deepEqual(
      summary.parts.map(({ polygons }) => polygons),
      outlined.parts.map(({ polygons }) => polygons),
    );
    assert.ok(summary.persons.every(({ polygons }) => polygons!.length > 0));
    assert.deepEqual(JSON.parse(JSON.stringify(summary)), summary);
    assert.deepEqual(withoutPolygons(outlined), parsing);
  });
});
