import assert from 'node:assert/strict';
import { lookUp, paint, type Pixels, rgbOf } from '../../../nodes/m2fp-preview/painting.ts';

const LABELS = [
  { code: 2, name: 'Hair', color: '#ff8000', share: 0.5 },
  { code: 3, name: 'Coat', color: '#000000', share: 0.25 },
];
const SOURCE = Uint8ClampedArray.from([100, 100, 100, 255, 50, 60, 70, 255, 200, 200, 200, 255]);
/** Hair of person 1, nothing, a coat of nobody. */
const MAPS = Uint8ClampedArray.from([2, 1, 0, 255, 0, 0, 0, 255, 3, 0, 0, 255]);

function painted(opacity: number, hidden: number[] = []): number[][] {
  const target: Pixels = new Uint8ClampedArray(SOURCE.length);
  paint(target, SOURCE, MAPS, { labels: LABELS, hidden: new Set(hidden), opacity });
  return [0, 4, 8].map((from) => [...target.subarray(from, from + 4)]);
}

describe('the enlarged view', () => {
  it('reads colours', () => {
    assert.deepEqual(rgbOf('#ff8000'), [255, 128, 0]);
    assert.deepEqual(rgbOf('#00000f'), [0, 0, 15]);
  });

  it('is the source at one end', () => {
    assert.deepEqual(painted(0), [
      [100, 100, 100, 255],
      [50, 60, 70, 255],
      [200, 200, 200, 255],
    ]);
  });

  it('mixes colours with the source, and leaves what is nothing', () => {
    assert.deepEqual(painted(0.5), [
      [178, 114, 50, 255],
      [50, 60, 70, 255],
      [100, 100, 100, 255],
    ]);
  });

  it('is the colours on black at the other end', () => {
    assert.deepEqual(painted(1), [
      [255, 128, 0, 255],
      [0, 0, 0, 255],
      [0, 0, 0, 255],
    ]);
  });

  it('leaves hidden labels out', () => {
    assert.deepEqual(painted(0.5, [2])[0], [100, 100, 100, 255]);
  });

  it('finds what lies at a pixel', () => {
    assert.deepEqual(lookUp(MAPS, 3, 0, 0, LABELS), { label: LABELS[0], person: 1 });
    assert.deepEqual(lookUp(MAPS, 3, 1, 0, LABELS), { label: undefined, person: 0 });
    assert.deepEqual(lookUp(MAPS, 1, 0, 2, LABELS), { label: LABELS[1], person: 0 });
  });
});
