import assert from 'node:assert/strict';
import { MAX_AREAS, readAreas } from '../../../src/people/zones/areas.ts';

const DOOR = {
  name: 'door',
  kind: 'zone',
  points: [
    [0, 0],
    [0.5, 0],
    [1, 1],
  ],
};
const GATE = {
  name: 'gate',
  kind: 'line',
  points: [
    [0, 0.5],
    [1, 0.5],
  ],
};

describe('the areas of a form', () => {
  for (const [what, given] of [
    ['JSON', JSON.stringify([DOOR, GATE])],
    ['a list', [DOOR, GATE]],
  ] as const) {
    it(`are read from ${what}`, () => {
      assert.deepEqual(readAreas('zones', given), [DOOR, GATE]);
    });
  }

  it('are none where nothing is drawn', () => {
    for (const nothing of [undefined, null, '', '  ', '[]', []])
      assert.deepEqual(readAreas('zones', nothing), []);
  });

  it('are zones where no kind is told, and their names have no blanks around', () => {
    const { kind: _kind, ...rest } = DOOR;
    assert.deepEqual(readAreas('zones', [{ ...rest, name: ' door ' }]), [DOOR]);
  });

  for (const [what, given] of Object.entries({
    'no JSON': '[{',
    'no list': '{"a": 1}',
    'a number': 3,
    'a text in a list': ['door'],
    'no name': [{ ...DOOR, name: '' }],
    'a long name': [{ ...DOOR, name: 'x'.repeat(61) }],
    'another kind': [{ ...DOOR, kind: 'circle' }],
    'two names that are the same': [DOOR, { ...GATE, name: 'door' }],
    'two points': [{ ...DOOR, points: DOOR.points.slice(1) }],
    'a line with three': [{ ...GATE, points: DOOR.points }],
    'a point in pixels': [{ ...DOOR, points: [...DOOR.points, [640, 360]] }],
    'a point of texts': [{ ...DOOR, points: [...DOOR.points, ['0', '0']] }],
    'a point that is no number': [{ ...DOOR, points: [...DOOR.points, [NaN, 0]] }],
    'too many': Array.from({ length: MAX_AREAS + 1 }, (_, index) => ({ ...DOOR, name: `${index}` })),
  })) {
    it(`are refused for ${what}`, () => {
      assert.throws(() => readAreas('zones', given), { code: 'M2FP_BAD_OPTION', message: /^Option "zones"/ });
    });
  }
});
