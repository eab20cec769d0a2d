import { equal } from 'node:assert/strict';
import { averagePrecision, mean } from '../../bench/accuracy/average-precision.ts';
import { close } from './scenes-by-hand.ts';

const found = (rights: string) => rights.split('').map((c, i) => ({ score: 1 - i / 100, right: c === '+' }));

describe('averagePrecision', () => {
  it('is 1 where all was found and nothing else', () => close(averagePrecision(found('++'), 2), 1));

  it('is 0 where nothing was found', () => close(averagePrecision([], 3), 0));

  it('is null where there was nothing to find, whatever was found', () => {
    equal(averagePrecision(found('-'), 0), null);
  });

  it('counts what was missed', () => close(averagePrecision(found('+'), 4), 1 / 4));

  it('takes the best precision at this or a higher recall', () => {
    // Precisions at the hits: 1/2, 2/3, 3/4, all raised to 3/4.
    close(averagePrecision(found('-+++'), 3), 3 / 4);
    // 1, then 2/3.
    close(averagePrecision(found('+-+'), 2), (1 + 2 / 3) / 2);
  });

  it('sorts by score', () => {
    const mixed = [
      { score: 0.2, right: false },
      { score: 0.9, right: true },
    ];
    close(averagePrecision(mixed, 1), 1);
  });
});

describe('mean', () => {
  it('is null of nothing', () => equal(mean([]), null));
  it('divides by the number of values', () => close(mean([1, 2, 6]), 3));
});
