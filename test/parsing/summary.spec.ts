import assert from 'node:assert/strict';
import { toModelScope } from '../../src/parsing/modelscope.ts';
import { summarize } from '../../src/parsing/summary.ts';
import type { Parsing } from '../../src/parsing/types.ts';

const box = { x: 1, y: 0, width: 2, height: 3 };
const mask = (counts: string) => ({ size: [4, 10] as [number, number], counts });

const PARSING: Parsing = {
  image: Buffer.from('picture'),
  width: 10,
  height: 4,
  labels: ['Background', 'Hat', 'Coat', 'Human'],
  labelMap: Buffer.alloc(40).fill(2, 27),
  personMap: Buffer.alloc(40),
  persons: [
    { id: 1, score: 0.987654, box, area: 20, mask: mask('a') },
    { id: 2, score: 0.5, box, area: 3, mask: mask('b') },
  ],
  parts: [
    { id: 1, label: 'Coat', index: 2, person: 1, score: 0.87654321, box, area: 13, mask: mask('c') },
    { id: 2, label: 'Hat', index: 1, person: 1, score: 0.3, box, area: 1, mask: mask('d') },
    { id: 3, label: 'Hat', index: 1, person: null, score: 0.25, box, area: 7, mask: mask('e') },
  ],
  doubtful: { persons: [], parts: [] },
  model: { id: 'some/model', digest: 'd', precision: 'fp32', provider: 'cpu' },
  cached: false,
  timing: {
    queue: 0.04,
    decode: 5.06,
    preprocess: 3.1499,
    inference: 1234.56,
    postprocess: 30,
    total: 1272.8,
  },
};

describe('summarize', () => {
  it('tells everything but pixels', async () => {
    assert.deepEqual(await summarize(PARSING), {
      width: 10,
      height: 4,
      persons: [
        { id: 1, score: 0.9877, box, area: 20 },
        { id: 2, score: 0.5, box, area: 3 },
      ],
      parts: [
        { id: 1, label: 'Coat', index: 2, person: 1, score: 0.8765, box, area: 13 },
        { id: 2, label: 'Hat', index: 1, person: 1, score: 0.3, box, area: 1 },
        { id: 3, label: 'Hat', index: 1, person: null, score: 0.25, box, area: 7 },
      ],
      labels: ['Background', 'Hat', 'Coat', 'Human'],
      shares: { Background: 0.675, Coat: 0.325 },
      model: { id: 'some/model', digest: 'd', precision: 'fp32', provider: 'cpu' },
      cached: false,
      timing: { queue: 0, decode: 5.1, preprocess: 3.1, inference: 1234.6, postprocess: 30, total: 1272.8 },
    });
  });

  it('is the same after JSON, with keys in a fixed order', async () => {
    const summary = await summarize(PARSING);
    const again = await summarize({ ...PARSING, parts: PARSING.parts.map((part) => ({ ...part })) });
    const text = JSON.stringify(summary);
    assert.deepEqual(JSON.parse(text), summary);
    assert.equal(text, JSON.stringify(again));
    assert.match(text, /^\{"width":10,"height":4,"persons":\[\{"id":1,"score":0.9877,"box":\{"x":1,"y":0,/);
    assert.doesNotMatch(text, /mask|counts|labelMap/);
    assert.deepEqual(Object.keys(summary), [
      'width',
      'height',
      'persons',
      'parts',
      'labels',
      'shares',
      'model',
      'cached',
      'timing',
    ]);
  });

  it('says of each thing what the parsing says, but for the last digits', async () => {
    const { shares: _shares, timing: _timing, ...summary } = await summarize(PARSING);
    const rounded = <T extends { score: number; mask: unknown }>({ mask: _mask, ...region }: T) => ({
      ...region,
      score: Number(region.score.toFixed(4)),
    });
    assert.deepEqual(summary, {
      width: PARSING.width,
      height: PARSING.height,
      persons: PARSING.persons.map(rounded),
      parts: PARSING.parts.map(rounded),
      labels: PARSING.labels,
      model: PARSING.model,
      cached: PARSING.cached,
    });
  });

  it('has no object in common with the parsing', async () => {
    const summary = await summarize(PARSING);
    assert.notEqual(summary.persons[0]!.box, PARSING.persons[0]!.box);
    assert.notEqual(summary.labels, PARSING.labels);
    assert.notEqual(summary.model, PARSING.model);
  });

  for (const [first, second] of [
    ['Coat', 'Coat'],
    ['Left-arm', 'left arm'],
    ['左臂', '左臂'],
  ] as const) {
    it(`adds up labels of the same name: ${first} and ${second}`, async () => {
      const labelMap = Buffer.alloc(40, 1).fill(2, 20);
      const labels = ['Background', first, second, 'Human'];
      assert.deepEqual((await summarize({ ...PARSING, labels, labelMap })).shares, { [first]: 1 });
    });
  }

  it('lets the event loop turn while it counts the pixels of a large picture', async () => {
    const labelMap = Buffer.alloc(4_000_000, 1);
    let turned = 0;
    const count = (): void => {
      turned++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    try {
      const { shares } = await summarize({ ...PARSING, width: 2000, height: 2000, labelMap });
      assert.deepEqual(shares, { Hat: 1 });
    } finally {
      clearImmediate(next);
    }
    assert.ok(turned >= 7, `${turned} turns`);
  });
});

describe('toModelScope', () => {
  it('lists parts, then persons', () => {
    assert.deepEqual(toModelScope(PARSING), {
      labels: ['Coat', 'Hat', 'Hat', 'Human', 'Human'],
      scores: [0.87654321, 0.3, 0.25, 0.987654, 0.5],
      masks: ['c', 'd', 'e', 'a', 'b'].map(mask),
    });
  });
});
