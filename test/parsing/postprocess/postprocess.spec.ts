import assert from 'node:assert/strict';
import { M2fpError } from '../../../src/errors.ts';
import {
  type NetworkOutput,
  postprocess,
  scoreThresholdOf,
} from '../../../src/parsing/postprocess/postprocess.ts';
import type { Person } from '../../../src/parsing/types.ts';
import { decodeRle, rleArea, rleBox } from '../../../src/parsing/masks/rle.ts';
import { manifest, networkInput } from '../support.ts';

const LABELS = ['Background', 'Hat', 'Coat', 'Human'];
const INPUT = networkInput({ width: 64, height: 32 }, { width: 128, height: 64 });

/** Each query is one class of a given probability, with a mask (of this logit) over some of the 16 mask columns. */
function output(
  queries: { index: number; p: number; from: number; to: number; logit?: number }[],
): NetworkOutput {
  const logits = new Float32Array(queries.length * 5).fill(-30);
  const masks = new Float32Array(queries.length * 128);
  queries.forEach(({ index, p, from, to, logit = 25 }, q) => {
    logits[q * 5 + index] = Math.log(p);
    logits[q * 5 + 4] = Math.log(1 - p + 1e-12);
    for (let i = 0; i < 128; i++) masks[q * 128 + i] = i % 16 >= from && i % 16 < to ? logit : -25;
  });
  return {
    logits: { data: logits, dims: [queries.length, 5] },
    masks: { data: masks, dims: [queries.length, 8, 16] },
  };
}

/** Two persons side by side, the right one better, each with a hat or coat, and a hat of nobody's. */
const SCENE = output([
  { index: 3, p: 0.8, from: 0, to: 6 },
  { index: 1, p: 0.3, from: 1, to: 3 },
  { index: 2, p: 0.6, from: 8, to: 10 },
  { index: 1, p: 0.9, from: 13, to: 15 },
  { index: 2, p: 0.7, from: 3, to: 5 },
  { index: 3, p: 0.9, from: 7, to: 12 },
  { index: 1, p: 0.7, from: 8, to: 9 },
  { index: 0, p: 0.9, from: 0, to: 1 },
]);

function pick(parsing: Pick<ReturnType<typeof postprocess>, 'persons' | 'parts'>) {
  return {
    persons: parsing.persons.map(({ id, score }) => [id, Number(score.toFixed(1))]),
    parts: parsing.parts.map(({ id, label, person, score }) => [id, label, person, Number(score.toFixed(1))]),
  };
}

/** With this option and this threshold of the model: the lists, the map's hat pixels and a pixel of the left hat. */
function shown(scoreThreshold?: number, ofModel = 0.5, mapConfidence?: number) {
  const model = {
    ...manifest('multi', LABELS, ofModel),
    ...(mapConfidence !== undefined && { mapConfidence }),
  };
  const parsing = postprocess(SCENE, INPUT, model, { scoreThreshold });
  return {
    ...pick(parsing),
    hats: parsing.labelMap.filter((label) => label === 1).length,
    left: parsing.labelMap[32 * 128 + 16],
  };
}

/** A tensor of zeros. */
function zeros(...dims: number[]) {
  return { data: new Float32Array(dims.reduce((a, b) => a * b)), dims };
}

describe('postprocess', () => {
  it('orders persons by score, parts by person and score', () => {
    assert.deepEqual(pick(postprocess(SCENE, INPUT, manifest('multi', LABELS))), {
      persons: [
        [1, 0.9],
        [2, 0.8],
      ],
      parts: [
        [1, 'Hat', 1, 0.7],
        [2, 'Coat', 1, 0.6],
        [3, 'Coat', 2, 0.7],
        [4, 'Hat', 2, 0.3],
        [5, 'Hat', null, 0.9],
      ],
    });
  });

  it('orders by score, not by class probability', () => {
    // sigmoid(0.5) = 0.62.
    const unsure = output([
      { index: 3, p: 0.95, from: 8, to: 16, logit: 0.5 },
      { index: 3, p: 0.8, from: 0, to: 16 },
      { index: 1, p: 0.9, from: 1, to: 5, logit: 0.5 },
      { index: 2, p: 0.75, from: 1, to: 5 },
    ]);
    const found = pick(postprocess(unsure, INPUT, manifest('multi', LABELS)));
    assert.deepEqual(found.persons, [
      [1, 0.8],
      [2, 0.6],
    ]);
    assert.deepEqual(
      found.parts.map((part) => part[1]),
      ['Coat', 'Hat'],
    );
  });

  it('gives maps, boxes, areas and masks that belong together', () => {
    const model = manifest('multi', LABELS);
    const parsing = postprocess(SCENE, INPUT, model);
    const { width, height } = INPUT.source;
    assert.deepEqual([parsing.width, parsing.height, parsing.labels], [width, height, LABELS]);
    assert.notEqual(parsing.labels, model.labels);
    assert.ok(Buffer.isBuffer(parsing.labelMap) && Buffer.isBuffer(parsing.personMap));
    for (const item of [...parsing.parts, ...parsing.persons]) {
      assert.deepEqual(item.mask.size, [height, width]);
      assert.equal(item.area, rleArea(item.mask));
      assert.deepEqual(item.box, rleBox(item.mask));
    }
    for (const person of parsing.persons) {
      const inMap = parsing.personMap.map((id) => (id === person.id ? 1 : 0));
      assert.deepEqual(Buffer.from(decodeRle(person.mask)), inMap);
    }
    const middle = (y: number) =>
      Array.from({ length: 16 }, (_, x) => parsing.labelMap[y * width + 8 * x + 4]);
    assert.deepEqual(middle(32), [0, 0, 0, 2, 2, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 0]);
  });

  it("applies the model's threshold to the label map, the option to everything", () => {
    const byModel = shown();
    assert.equal(byModel.parts.length, 5);
    assert.equal(byModel.left, 0); // The hat of 0.3 is a part, but not in the map.
    assert.ok(shown(undefined, 0.8).hats < byModel.hats);
    assert.equal(shown(undefined, 0.8).parts.length, 5);

    assert.equal(shown(0.2).left, 1);
    assert.equal(shown(0.2).parts.length, 5);
    assert.deepEqual(shown(0.65), {
      persons: [
        [1, 0.9],
        [2, 0.8],
      ],
      parts: [
        [1, 'Hat', 1, 0.7],
        [2, 'Coat', 2, 0.7],
        [3, 'Hat', null, 0.9],
      ],
      hats: shown(0.65).hats,
      left: 0,
    });
    const high = shown(0.85);
    assert.deepEqual(high.persons, [[1, 0.9]]);
    assert.deepEqual(high.parts, [[1, 'Hat', null, 0.9]]);
  });

  it('keeps what scores less apart, with ids that go on counting', () => {
    const model = manifest('multi', LABELS);
    const all = postprocess(SCENE, INPUT, model);
    assert.deepEqual(all.doubtful, { persons: [], parts: [] });
    assert.deepEqual(postprocess(SCENE, INPUT, model, { scoreThreshold: 0.1 }).doubtful, all.doubtful);

    const some = postprocess(SCENE, INPUT, model, { scoreThreshold: 0.65 });
    assert.deepEqual(pick({ ...some, ...some.doubtful }), {
      persons: [],
      parts: [
        [4, 'Coat', 1, 0.6],
        [5, 'Hat', 2, 0.3],
      ],
    });
    // The person of 0.8 is doubtful here: parts that are not are nobody's, and doubtful ones are his.
    const few = postprocess(SCENE, INPUT, model, { scoreThreshold: 0.85 });
    assert.deepEqual(pick({ ...few, ...few.doubtful }), {
      persons: [[2, 0.8]],
      parts: [
        [2, 'Hat', 1, 0.7],
        [3, 'Coat', 1, 0.6],
        [4, 'Coat', 2, 0.7],
        [5, 'Hat', 2, 0.3],
      ],
    });
    const noPerson = postprocess(SCENE, INPUT, model, { scoreThreshold: 0.95 });
    assert.deepEqual(
      [noPerson.persons, noPerson.parts, noPerson.doubtful.persons.map(({ id }) => id)],
      [[], [], [1, 2]],
    );
  });

  it('gives a sure part of a doubtful person to nobody', () => {
    const scene = output([
      { index: 3, p: 0.4, from: 0, to: 6 },
      { index: 3, p: 0.9, from: 8, to: 12 },
      { index: 1, p: 0.9, from: 1, to: 3 },
      { index: 2, p: 0.3, from: 3, to: 5 },
    ]);
    const { persons, parts, doubtful, personMap } = postprocess(scene, INPUT, manifest('multi', LABELS), {
      scoreThreshold: 0.5,
    });
    assert.deepEqual([persons.map(({ id }) => id), doubtful.persons.map(({ id }) => id)], [[1], [2]]);
    assert.deepEqual(
      [...parts, ...doubtful.parts].map(({ id, person }) => [id, person]),
      [
        [1, null],
        [2, 2],
      ],
    );
    assert.deepEqual(new Set(personMap), new Set([0, 1]));
  });

  for (const scoreThreshold of [0.1, 0.35, 0.5, 0.65, 0.85, 1]) {
    it(`finds the same with a minimum of ${scoreThreshold}, and shows in the maps what reaches it`, () => {
      const model = manifest('multi', LABELS);
      const key = ({ score, area, mask }: Omit<Person, 'id'>) => `${score} ${area} ${mask.counts}`;
      const everything = postprocess(SCENE, INPUT, model);
      const { persons, parts, doubtful, labelMap, personMap } = postprocess(SCENE, INPUT, model, {
        scoreThreshold,
      });
      assert.deepEqual(
        [...persons, ...doubtful.persons].map(key).toSorted(),
        everything.persons.map(key).toSorted(),
      );
      assert.deepEqual(
        [...parts, ...doubtful.parts].map(key).toSorted(),
        everything.parts.map(key).toSorted(),
      );
      const ids = [...parts, ...doubtful.parts].map(({ id }) => id);
      assert.deepEqual(
        ids,
        ids.map((_, i) => i + 1),
      );
      assert.deepEqual(new Set([0, ...labelMap]), new Set([0, ...parts.map(({ index }) => index)]));
      assert.deepEqual(new Set([0, ...personMap]), new Set([0, ...persons.map(({ id }) => id)]));
    });
  }

  it("takes weak parts into the label map where the model's two thresholds are lower", () => {
    assert.equal(shown(undefined, 0.2).left, 0); // Its pixels have 0.3 at most, M2FP's bar is 0.5.
    assert.equal(shown(undefined, 0.2, 0.2).left, 1);
    assert.equal(shown(undefined, 0.2, 0.35).left, 0);
  });

  it('gives each result its own objects', () => {
    const logits = new Float32Array(5).fill(-30);
    logits[1] = logits[2] = 5;
    const masks = new Float32Array(128).fill(9);
    const parsing = postprocess(
      { logits: { data: logits, dims: [1, 5] }, masks: { data: masks, dims: [1, 8, 16] } },
      INPUT,
      manifest('multi', LABELS),
    );
    assert.deepEqual(
      parsing.parts.map(({ label }) => label),
      ['Hat', 'Coat'],
    );
    assert.notEqual(parsing.parts[0]!.box, parsing.parts[1]!.box);
    assert.notEqual(parsing.parts[0]!.mask, parsing.parts[1]!.mask);
  });

  it('keeps parts of a single-human model below a threshold apart, as background in the label map', () => {
    const labels = LABELS.slice(0, 3);
    const data = new Float32Array(3 * 32 * 64);
    data.fill(0.9, 32 * 64, 2 * 32 * 64);
    data.fill(2, 0, 10 * 64);
    const parse = (scoreThreshold?: number) =>
      postprocess({ semantic: { data, dims: [3, 32, 64] } }, INPUT, manifest('single', labels), {
        scoreThreshold,
      });
    assert.deepEqual(
      parse().parts.map(({ label }) => label),
      ['Background', 'Hat'],
    );
    // sigmoid(0.9) = 0.711 for nearly all pixels.
    assert.deepEqual(
      parse(0.72).parts.map(({ label }) => label),
      ['Background'],
    );
    assert.deepEqual(
      parse(0.72).doubtful.parts.map(({ id, label }) => [id, label]),
      [[2, 'Hat']],
    );
    assert.deepEqual(new Set(parse(0.72).labelMap), new Set([0]));
    assert.deepEqual(new Set(parse().labelMap), new Set([0, 1]));
  });

  for (const value of [0, 0.09, 1.01, -1, NaN, Infinity, '0.5', null, {}]) {
    it(`refuses a score threshold of ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => postprocess(SCENE, INPUT, manifest('multi', LABELS), { scoreThreshold: value as number }),
        (error) =>
          error instanceof M2fpError &&
          error.code === 'M2FP_BAD_OPTION' &&
          /scoreThreshold.*from 0\.1 to 1/.test(error.message),
      );
    });
  }

  it('takes the ends of the range', () => {
    assert.deepEqual(
      [
        scoreThresholdOf({ scoreThreshold: 0.1 }),
        scoreThresholdOf({ scoreThreshold: 1 }),
        scoreThresholdOf({}),
      ],
      [0.1, 1, undefined],
    );
  });

  const multi = manifest('multi', LABELS);
  const wrong: [string, NetworkOutput, typeof multi, RegExp][] = [
    ['no logits', { masks: zeros(1, 8, 16) }, multi, /nothing as "logits" where \[any, 5\]/],
    [
      'another number of classes',
      { logits: zeros(1, 6), masks: zeros(1, 8, 16) },
      multi,
      /\[1, 6\] as "logits"/,
    ],
    ['no masks', { logits: zeros(2, 5) }, multi, /nothing as "masks" where \[2, 8, 16\]/],
    [
      'another number of masks',
      { logits: zeros(2, 5), masks: zeros(3, 8, 16) },
      multi,
      /\[3, 8, 16\] as "masks"/,
    ],
    [
      'masks of another size',
      { logits: zeros(2, 5), masks: zeros(2, 16, 8) },
      multi,
      /\[2, 16, 8\] as "masks"/,
    ],
    ['a batch axis', { logits: zeros(1, 2, 5), masks: zeros(2, 8, 16) }, multi, /\[1, 2, 5\] as "logits"/],
    [
      'less data than the shape says',
      { logits: { data: new Float32Array(9), dims: [2, 5] }, masks: zeros(2, 8, 16) },
      multi,
      /"logits"/,
    ],
    [
      'no class map',
      { logits: zeros(2, 5) },
      manifest('single', LABELS),
      /nothing as "semantic" where \[4, 32, 64\]/,
    ],
    [
      'too many labels',
      {},
      manifest(
        'single',
        Array.from({ length: 255 }, () => 'x'),
      ),
      /more than 254 labels/,
    ],
  ];
  for (const [name, given, model, message] of wrong) {
    it(`says what is wrong with a model that gives ${name}`, () => {
      assert.throws(
        () => postprocess(given, INPUT, model),
        (error) =>
          error instanceof M2fpError && error.code === 'M2FP_MODEL_INVALID' && message.test(error.message),
      );
    });
  }
});
