import assert from 'node:assert/strict';
import { assignParts } from '../../../src/parsing/postprocess/assign-parts.ts';

/** A mask of the pixels [from, to). */
function pixels(from: number, to: number) {
  return { runs: Uint32Array.of(from, to) };
}

function person(from: number, to: number, score: number) {
  return { ...pixels(from, to), score };
}

describe('assignParts', () => {
  it('gives a part to the person who holds most of it', () => {
    const persons = [person(0, 100, 0.6), person(100, 200, 0.9)];
    const parts = [pixels(10, 20), pixels(150, 160), pixels(95, 125), pixels(75, 104)];
    assert.deepEqual(assignParts(parts, persons), [0, 1, 1, 0]);
  });

  it('prefers the larger share to the higher score', () => {
    assert.deepEqual(assignParts([pixels(0, 100)], [person(0, 60, 0.99), person(0, 95, 0.2)]), [1]);
  });

  it('prefers the higher score where two persons hold nearly the same share', () => {
    assert.deepEqual(assignParts([pixels(0, 100)], [person(0, 100, 0.3), person(0, 95, 0.9)]), [1]);
    assert.deepEqual(assignParts([pixels(0, 100)], [person(0, 100, 0.3), person(0, 85, 0.9)]), [0]);
  });

  it('prefers the earlier one of equals', () => {
    assert.deepEqual(assignParts([pixels(0, 10)], [person(0, 50, 0.5), person(0, 50, 0.5)]), [0]);
  });

  it('links nothing that nobody holds more than half of', () => {
    const persons = [person(0, 100, 0.9), person(150, 200, 0.9)];
    assert.deepEqual(assignParts([pixels(100, 150), pixels(90, 110), pixels(89, 110)], persons), [
      null,
      null,
      0,
    ]);
    assert.deepEqual(assignParts([pixels(0, 10)], []), [null]);
  });

  it('links an empty part to nobody', () => {
    assert.deepEqual(assignParts([{ runs: new Uint32Array(0) }], [person(0, 10, 0.9)]), [null]);
  });

  it('measures masks of many runs', () => {
    const part = { runs: Uint32Array.of(0, 10, 20, 30, 40, 50) };
    assert.deepEqual(
      assignParts([part], [{ runs: Uint32Array.of(5, 45), score: 0.5 }]),
      [0], // 5 + 10 + 5 of 30
    );
    assert.deepEqual(assignParts([part], [{ runs: Uint32Array.of(5, 10, 25, 35, 40, 45), score: 0.5 }]), [
      null,
    ]);
  });
});
