import { deepEqual, equal } from 'node:assert/strict';
import { predictionOf } from '../../bench/accuracy/prediction.ts';
import { encodeRle } from '../../src/parsing/index.ts';
import { digits, mask } from './scenes-by-hand.ts';

const box = { x: 0, y: 0, width: 1, height: 1 };
const region = (text: string) => ({ box, area: 0, mask: encodeRle(mask(text), 4, 2) });
const part = (index: number, person: number | null, score: number, text: string) => ({
  id: 1,
  label: '',
  index,
  person,
  score,
  ...region(text),
});

describe('predictionOf', () => {
  const prediction = predictionOf({
    width: 4,
    height: 2,
    labelMap: Buffer.from(digits('0011 2244')),
    persons: [
      { id: 1, score: 0.9, ...region('1100 1100') },
      { id: 2, score: 0.6, ...region('0011 0011') },
    ],
    parts: [
      part(3, 2, 0.8, '0011 0000'),
      part(1, 1, 0.3, '1110 1110'),
      part(2, 1, 0.5, '0000 1100'),
      part(4, null, 0.4, '0000 0001'),
    ],
  });

  it("paints a person's parsing from their own parts, the surest on top", () => {
    deepEqual(
      prediction.persons.map(({ labels }) => [...labels].join('')),
      ['11102210', '00330000'],
    );
  });

  it("judges the product's own label map", () => {
    equal([...prediction.labels].join(''), '00112244');
  });

  it('tells masks, and which person of the list a part belongs to', () => {
    deepEqual([...prediction.persons[1]!.mask], [...mask('0011 0011')]);
    deepEqual(
      prediction.parts.map(({ index, person }) => [index, person]),
      [
        [3, 1],
        [2, 0],
        [4, null],
        [1, 0],
      ],
    );
  });
});
