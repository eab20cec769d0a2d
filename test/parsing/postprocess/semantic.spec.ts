import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { postprocess } from '../../../src/parsing/postprocess/postprocess.ts';
import { decodeRle } from '../../../src/parsing/masks/rle.ts';
import { semanticLabels } from '../../../src/parsing/postprocess/semantic.ts';
import { goldenCases } from '../../support/golden.ts';
import { semantic, semanticMap } from './reference.ts';
import { CIHP, manifest, networkInput } from '../support.ts';

const LIP = CIHP.slice(0, 20);

describe('single-human post-processing', () => {
  /** Pictures larger than their place on the canvas, as large as it, and with padding around. */
  const places = [
    { crop: (w: number, h: number) => ({ x: 0, y: 0, width: w, height: h }), scale: 1 },
    { crop: (w: number, h: number) => ({ x: 0, y: 7, width: w, height: h - 15 }), scale: 2.7 },
    { crop: (w: number, h: number) => ({ x: 11, y: 3, width: w - 23, height: h - 6 }), scale: 1.31 },
  ];
  for (const golden of goldenCases('single', 'network')) {
    it(`equals the same steps done in full for the output of ${golden.name}`, () => {
      const [height, width] = golden.tensor('image').shape as [number, number];
      const masks = golden.tensor('pred_masks');
      const [channels, maskHeight, maskWidth] = masks.shape as [number, number, number];
      const planes = { data: masks.data as Float32Array, channels, height: maskHeight, width: maskWidth };
      const map = semanticMap(golden.tensor('pred_logits').data as Float32Array, planes, LIP.length);
      for (const { crop, scale } of places) {
        const box = crop(width, height);
        const source = { width: Math.round(box.width * scale), height: Math.round(box.height * scale) };
        const expected = semantic(map, box, source);
        const result = postprocess(
          { semantic: { data: map.data, dims: [LIP.length, map.height, map.width] } },
          networkInput({ width, height }, source, box),
          manifest('single', LIP),
        );

        expected.labels.forEach((label, i) => {
          if (expected.leads[i]! > 1e-6) assert.equal(result.labelMap[i], label, `pixel ${i}`);
        });
        const present = [...expected.areas.keys()].filter((index) => expected.areas[index]! > 0);
        assert.ok(present.length > 3, 'the case has something to compare');
        assert.deepEqual(
          result.parts.map(({ id, index, label, person }) => ({ id, index, label, person })),
          present.map((index, i) => ({ id: i + 1, index, label: LIP[index], person: null })),
        );
        for (const part of result.parts) {
          assert.ok(Math.abs(part.score - expected.scores[part.index]!) < 1e-5);
          const inMap = result.labelMap.map((label) => (label === part.index ? 1 : 0));
          assert.deepEqual(Buffer.from(decodeRle(part.mask)), inMap);
          assert.equal(
            part.area,
            inMap.reduce((sum, bit) => sum + bit, 0),
          );
        }
        assert.deepEqual(result.persons, []);
        assert.deepEqual(result.personMap, Buffer.alloc(source.width * source.height));
      }
    });
  }

  it('takes the first of equal classes', () => {
    const result = semanticLabels({
      semantic: Float32Array.of(1, 2, 3, 2, 3, 1),
      classes: 3,
      paddedWidth: 2,
      paddedHeight: 1,
      crop: { x: 0, y: 0, width: 2, height: 1 },
      width: 2,
      height: 1,
    });
    // Column 0: 1, 3, 3; column 1: 2, 2, 1.
    assert.deepEqual([...result.labelMap], [1, 0]);
    assert.deepEqual([...result.areas], [1, 1, 0]);
  });

  it('scores as ModelScope does, with one pixel more than the class has', () => {
    const result = semanticLabels({
      semantic: Float32Array.of(0, 0, 0, 2, 2, 2),
      classes: 2,
      paddedWidth: 3,
      paddedHeight: 1,
      crop: { x: 0, y: 0, width: 3, height: 1 },
      width: 3,
      height: 1,
    });
    assert.equal(result.scores[0], 0);
    assert.ok(Math.abs(result.scores[1]! - 3 / (1 + Math.exp(-2)) / 4) < 1e-6);
  });

  it('loses no class by looking at few', () => {
    const maps = fc.record({
      values: fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 5 * 48, maxLength: 5 * 48 }),
      source: fc.record({ width: fc.integer({ min: 1, max: 60 }), height: fc.integer({ min: 1, max: 60 }) }),
      box: fc
        .record({ x: fc.integer({ min: 0, max: 7 }), y: fc.integer({ min: 0, max: 5 }) })
        .chain(({ x, y }) =>
          fc.record({
            x: fc.constant(x),
            y: fc.constant(y),
            width: fc.integer({ min: 1, max: 8 - x }),
            height: fc.integer({ min: 1, max: 6 - y }),
          }),
        ),
    });
    fc.assert(
      fc.property(maps, ({ values, source, box }) => {
        const data = Float32Array.from(values);
        const expected = semantic({ data, channels: 5, width: 8, height: 6 }, box, source);
        const result = semanticLabels({
          semantic: data,
          classes: 5,
          paddedWidth: 8,
          paddedHeight: 6,
          crop: box,
          ...source,
        });
        expected.labels.forEach((label, i) => {
          if (expected.leads[i]! > 1e-6) assert.equal(result.labelMap[i], label);
        });
      }),
    );
  });
});
