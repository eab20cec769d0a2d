import assert from 'node:assert/strict';
import { MaskUpsampler, maskColumns } from '../../../src/parsing/postprocess/mask-upsampler.ts';
import type { Instance } from '../../../src/parsing/postprocess/instances.ts';
import { labelMap, personMap } from '../../../src/parsing/postprocess/label-map.ts';

/** The picture is the mask enlarged four times, so a mask's edge lies within a pixel or two of four times its column. */
const MASK = { width: 8, height: 8 };
const SIZE = { width: 32, height: 32 };
const HUMAN = 9;
const MODELSCOPE = { minScore: 0.5, minConfidence: 0.5 };
const sampler = new MaskUpsampler({
  maskWidth: MASK.width,
  maskHeight: MASK.height,
  networkWidth: SIZE.width,
  networkHeight: SIZE.height,
  ...SIZE,
});

/** An instance whose mask logit is `inside` in the mask's columns [from, to), -20 elsewhere. */
function instance(index: number, score: number, from: number, to: number, inside = 20): Instance {
  const mask = Float32Array.from({ length: 64 }, (_, i) => (i % 8 >= from && i % 8 < to ? inside : -20));
  return { index, score, runs: new Uint32Array(0), columns: maskColumns(mask, MASK.width, MASK.height) };
}

/** The label map of one label. */
function everywhere(label: number): number[] {
  return Array.from({ length: 8 }, () => label);
}

/** The label in the middle of each of the mask's columns; every row of the map is the same. */
function labels(instances: Instance[], rule = MODELSCOPE): number[] {
  const map = labelMap([instances], HUMAN, rule, sampler, SIZE);
  assert.equal(map.length, SIZE.width * SIZE.height);
  for (let y = 1; y < SIZE.height; y++) {
    assert.deepEqual(map.subarray(y * SIZE.width, (y + 1) * SIZE.width), map.subarray(0, SIZE.width));
  }
  return Array.from({ length: 8 }, (_, x) => map[4 * x + 2]!);
}

describe('labelMap', () => {
  it('is 0 where nothing is', () => {
    assert.deepEqual(labels([]), [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(labels([instance(3, 0.9, 2, 5)]), [0, 0, 3, 3, 3, 0, 0, 0]);
  });

  it('takes the class with the higher value where two overlap', () => {
    const [hair, hat] = [instance(2, 0.8, 0, 5), instance(1, 0.9, 3, 8)];
    assert.deepEqual(labels([hair, hat]), [2, 2, 2, 1, 1, 1, 1, 1]);
    assert.deepEqual(labels([hat, hair]), [2, 2, 2, 1, 1, 1, 1, 1]);
  });

  it('takes the lower index of equals', () => {
    assert.deepEqual(labels([instance(5, 0.8, 0, 8), instance(4, 0.8, 0, 8)]), everywhere(4));
  });

  it('takes the mean of the instances of a class', () => {
    // Class 2 has 0.9 and, from column 4, (0.9 + 0.6) / 2 = 0.75; class 3 has 0.8 everywhere.
    const instances = [instance(2, 0.9, 0, 8), instance(2, 0.6, 4, 8), instance(3, 0.8, 0, 8)];
    assert.deepEqual(labels(instances), [2, 2, 2, 2, 3, 3, 3, 3]);
  });

  it('lets the background win with the highest value', () => {
    assert.deepEqual(labels([instance(0, 0.95, 4, 8), instance(2, 0.9, 0, 8)]), [2, 2, 2, 2, 0, 0, 0, 0]);
  });

  it('leaves out persons', () => {
    assert.deepEqual(labels([instance(HUMAN, 0.99, 0, 8), instance(2, 0.9, 0, 2)]), [2, 2, 0, 0, 0, 0, 0, 0]);
  });

  it('leaves out scores below the threshold', () => {
    const rule = { minScore: 0.7, minConfidence: 0.5 };
    assert.deepEqual(
      labels([instance(2, 0.69, 0, 4), instance(3, 0.7, 4, 8)], rule),
      [0, 0, 0, 0, 3, 3, 3, 3],
    );
  });

  it("leaves out pixels that ModelScope's rule is not confident of", () => {
    // sigmoid(1) = 0.731: times 0.69 it is above 0.5, times 0.68 it is not.
    assert.deepEqual(labels([instance(2, 0.69, 0, 8, 1)]), everywhere(2));
    assert.deepEqual(labels([instance(3, 0.68, 0, 8, 1)]), everywhere(0));
    assert.deepEqual(labels([instance(3, 0.5, 0, 8)]), everywhere(0));
  });

  it('shows whole masks without a bar for pixels, but nothing outside a mask', () => {
    const rule = { minScore: 0.2, minConfidence: 0 };
    assert.deepEqual(labels([instance(2, 0.2, 0, 8, 0.01)], rule), everywhere(2));
    assert.deepEqual(labels([instance(2, 0.19, 0, 8)], rule), everywhere(0));
    assert.deepEqual(labels([instance(2, 1, 0, 8, -0.01)], rule), everywhere(0));
  });
});

describe('personMap', () => {
  it('shows the earlier person where two overlap', () => {
    // 3 columns, 2 rows; pixels are numbered down the columns.
    const map = personMap([Uint32Array.of(2, 4), Uint32Array.of(0, 3, 5, 6)], 3, 2);
    assert.deepEqual([...map], [2, 1, 0, 2, 1, 2]);
  });

  it('is 0 without persons', () => {
    assert.deepEqual([...personMap([], 3, 2)], [0, 0, 0, 0, 0, 0]);
  });

  it('tells 255 persons apart', () => {
    const masks = Array.from({ length: 255 }, (_, i) => Uint32Array.of(i, i + 1));
    assert.deepEqual(
      [...personMap(masks, 255, 1)],
      Array.from({ length: 255 }, (_, i) => i + 1),
    );
  });
});
