import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import cihp from '../../../models/labels/cihp.json' with { type: 'json' };
import lip from '../../../models/labels/lip.json' with { type: 'json' };
import mhpV2 from '../../../models/labels/mhp-v2.json' with { type: 'json' };
import pascalPersonPart from '../../../models/labels/pascal-person-part.json' with { type: 'json' };
import { mirroredLabels } from '../../../src/parsing/postprocess/flip.ts';
import { postprocess } from '../../../src/parsing/postprocess/postprocess.ts';
import { decodeRle } from '../../../src/parsing/masks/rle.ts';
import { classMaps, meanMap, merged, turnedBack } from './flip-reference.ts';
import { instances, type Planes } from './reference.ts';
import { blobs, manifest, networkInput } from '../support.ts';

describe('mirroredLabels', () => {
  // The pairs come from the flip maps of M2FP's data sets.
  for (const { name, labels, pairs } of [cihp, lip, mhpV2, pascalPersonPart]) {
    it(`exchanges the pairs of ${name} and nothing else`, () => {
      const expected = labels.map((_, index) => index);
      for (const [a, b] of pairs as [number, number][]) [expected[a], expected[b]] = [b, a];
      assert.deepEqual(mirroredLabels(labels), expected);
    });
  }

  it("goes by the names of a user's own labels", () => {
    const labels = ['background', 'Upper RIGHT arm', 'upper_left_arm', '左脚', '右脚', 'bright', 'leftover'];
    assert.deepEqual(mirroredLabels(labels), [0, 2, 1, 4, 3, 5, 6]);
  });

  it('leaves a side whose counterpart is missing', () => {
    assert.deepEqual(mirroredLabels(['Background', 'Left-arm', 'Left-leg', 'Right-leg']), [0, 1, 3, 2]);
  });
});

describe('post-processing of a picture and its mirror image', () => {
  const labels = ['Background', 'Hat', 'Left-arm', 'Right-arm', 'Human'];
  const pairs = [[2, 3]];
  const queries = 8;
  const logitsOf = fc.array(fc.double({ min: -2, max: 6, noNaN: true }), {
    minLength: queries * 6,
    maxLength: queries * 6,
  });
  const scenes = fc
    .record({
      network: fc.record({ width: fc.integer({ min: 1, max: 64 }), height: fc.integer({ min: 1, max: 64 }) }),
      source: fc.record({ width: fc.integer({ min: 1, max: 80 }), height: fc.integer({ min: 1, max: 80 }) }),
    })
    .chain(({ network, source }) => {
      const mask = { width: Math.ceil(network.width / 32) * 8, height: Math.ceil(network.height / 32) * 8 };
      const masks = fc.array(blobs(mask.width, mask.height), { minLength: queries, maxLength: queries });
      return fc.record({
        network: fc.constant(network),
        source: fc.constant(source),
        mask: fc.constant(mask),
        logits: fc.tuple(logitsOf, logitsOf),
        masks: fc.tuple(masks, masks),
        threshold: fc.option(fc.double({ min: 0.1, max: 0.9, noNaN: true }), { nil: undefined }),
      });
    });

  /** Where rounding may decide, the reference does not say what is right. */
  const ROUNDING = 1e-5;

  it('merges parts and persons and averages the class maps, as the same steps done in full', () => {
    let together = 0;
    let alone = 0;
    let labelled = 0;
    fc.assert(
      fc.property(scenes, ({ network, source, mask, logits, masks, threshold }) => {
        const pixels = source.width * source.height;
        const planes = masks.map((list): Planes => {
          const data = Float32Array.from(list.flatMap((values) => [...values]));
          return { data, channels: queries, ...mask };
        });
        const raw = planes.map((plane, v) =>
          instances(Float32Array.from(logits[v]!), plane, labels.length, network, source),
        );
        // A logit or score on an edge makes another picture of the rest.
        const bars = [0.1, threshold ?? 0.5, 0.5];
        const isClear = (value: number) => bars.every((bar) => Math.abs(value - bar) > 1e-4);
        fc.pre(raw.flat().every((item) => isClear(item.score)));
        fc.pre(raw.flat().every((item) => item.logits.every((m) => Math.abs(m) > ROUNDING)));
        const views = [raw[0]!, turnedBack(raw[1]!, source.width, pairs)].map((view) =>
          view.filter(({ score }) => score >= 0.1),
        );
        const all = views.flat();
        for (const { index, score } of all) {
          const close = all.filter((b) => b.index === index && Math.abs(b.score - score) < 1e-6);
          fc.pre(close.length === 1);
        }
        const { instances: expected, ious } = merged(all);
        fc.pre(
          ious.every((iou) => Math.abs(iou - 0.5) > 1e-9) && expected.every((item) => isClear(item.score)),
        );

        const [own, other] = planes.map(({ data }, v) => ({
          logits: { data: Float32Array.from(logits[v]!), dims: [queries, 6] },
          masks: { data, dims: [queries, mask.height, mask.width] },
        }));
        const result = postprocess(
          own!,
          networkInput(network, source),
          manifest('multi', labels),
          { scoreThreshold: threshold },
          other,
        );

        const found = [
          ...result.parts.map((part) => ({ ...part })),
          ...result.persons.map((person) => ({ ...person, index: 4 })),
        ];
        const kept = expected.filter(({ index, score }) => index !== 0 && score >= (threshold ?? 0.1));
        assert.equal(found.length, kept.length);
        for (const wanted of kept) {
          const at = found.findIndex(
            ({ index, score, mask: rle }) =>
              index === wanted.index &&
              Math.abs(score - wanted.score) < 1e-5 &&
              decodeRle(rle).every((bit, p) => {
                const m = wanted.logits[p]!;
                return Math.abs(m) < ROUNDING || bit === Number(m > 0);
              }),
          );
          assert.ok(at >= 0, `${labels[wanted.index]} of ${wanted.score} is missing`);
          found.splice(at, 1);
          if (wanted.parts > 1) together++;
          else alone++;
        }

        const rule =
          threshold === undefined
            ? { minScore: 0.5, minConfidence: 0.5 }
            : { minScore: threshold, minConfidence: 0 };
        const maps = views.map((view) => classMaps(view, labels.length - 1, pixels, rule));
        for (let p = 0; p < pixels; p++) {
          const values = maps[0]!.map((map, c) => (map[p]! + maps[1]![c]![p]!) / 2);
          const best = Math.max(...values);
          const label = values.indexOf(best);
          const second = Math.max(...values.filter((_, c) => c !== label));
          const onEdge = views
            .flat()
            .some(
              ({ logits: m, score }) =>
                Math.abs(score / (1 + Math.exp(-m[p]!)) - rule.minConfidence) < ROUNDING,
            );
          if (onEdge || (best > 0 && best - second < ROUNDING)) continue;
          assert.equal(result.labelMap[p], label, `pixel ${p}`);
          if (label > 0) labelled++;
        }
      }),
      { numRuns: 150, endOnFailure: true },
    );
    assert.ok(together > 30 && alone > 100, `${together} merged, ${alone} single ones`);
    assert.ok(labelled > 5_000, `${labelled} pixels with a label`);
  });

  const size = { width: 64, height: 96 };
  for (const [crop, source] of [
    [
      { x: 0, y: 0, ...size },
      { width: 64, height: 96 },
    ],
    [
      { x: 7, y: 0, width: 51, height: 96 },
      { width: 130, height: 244 },
    ],
    [
      { x: 0, y: 13, width: 64, height: 70 },
      { width: 40, height: 44 },
    ],
  ] as const) {
    it(`averages the class map of one person, with left and right exchanged: ${source.width} x ${source.height}`, () => {
      const random = (seed: number): Planes => {
        let state = seed;
        const data = Float32Array.from({ length: 20 * size.width * size.height }, () => {
          state = (state * 1103515245 + 12345) % 2 ** 31;
          return state / 2 ** 31;
        });
        return { data, channels: 20, ...size };
      };
      const [own, other] = [random(1), random(2)];
      const dims = [20, size.height, size.width];
      const result = postprocess(
        { semantic: { data: own.data, dims } },
        networkInput(size, source, crop),
        manifest('single', lip.labels),
        {},
        { semantic: { data: other.data, dims } },
      );
      const mean = meanMap(own, other, crop, source, lip.pairs);
      const pixels = source.width * source.height;
      let compared = 0;
      for (let p = 0; p < pixels; p++) {
        const values = Array.from({ length: 20 }, (_, c) => mean.data[c * pixels + p]!);
        const [best, second] = values.toSorted((a, b) => b - a) as [number, number];
        if (best - second < 1e-6) continue;
        assert.equal(result.labelMap[p], values.indexOf(best), `pixel ${p}`);
        compared++;
      }
      assert.ok(compared > 0.99 * pixels);
      assert.ok(result.parts.length > 10);
    });
  }

  it('says what is wrong with the output for the mirror image', () => {
    const zeros = (...dims: number[]) => ({ data: new Float32Array(dims.reduce((a, b) => a * b)), dims });
    const input = networkInput({ width: 32, height: 32 }, { width: 8, height: 8 });
    const good = { logits: zeros(2, 6), masks: zeros(2, 8, 8) };
    assert.throws(() => postprocess(good, input, manifest('multi', labels), {}, { logits: zeros(2, 6) }), {
      code: 'M2FP_MODEL_INVALID',
      message: /nothing as "masks"/,
    });
  });
});
