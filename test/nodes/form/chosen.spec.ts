import assert from 'node:assert/strict';
import { choose, invert, isNone, keep, readChoice, writeChoice } from '../../../nodes/form/chosen.ts';
import { labelNames } from '../../../src/parsing/options/option-table.ts';

const OFFER = { parts: ['Hair', 'Face', 'Left-arm'], extras: ['Background', 'Human'] };
const NOTHING = { chosen: [], kept: [] };

describe('the choice of labels', () => {
  for (const stored of ['', '  ', undefined]) {
    it(`blank (${JSON.stringify(stored)}) is every part, but not the background and the whole person`, () => {
      assert.deepEqual(readChoice(stored, OFFER), { chosen: OFFER.parts, kept: [] });
    });
  }

  it('takes names as a message takes them, and keeps those that are not on show, once', () => {
    assert.deepEqual(readChoice(' left arm,hair ,, Glove, glove,Human', OFFER), {
      chosen: ['Hair', 'Left-arm', 'Human'],
      kept: ['glove'],
    });
  });

  it('is stored in the order of the labels, the kept names behind', () => {
    const choice = { chosen: ['Left-arm', 'Human', 'Hair'], kept: ['Glove'] };
    assert.equal(writeChoice(choice, OFFER), 'Hair, Left-arm, Human, Glove');
  });

  it('is stored as blank where it is every part, and only then', () => {
    assert.equal(writeChoice({ chosen: [...OFFER.parts], kept: [] }, OFFER), '');
    assert.equal(writeChoice({ chosen: [...OFFER.parts], kept: ['Glove'] }, OFFER), '');
    const withBackground = { chosen: [...OFFER.parts, 'Background'], kept: [] };
    assert.equal(writeChoice(withBackground, OFFER), 'Hair, Face, Left-arm, Background');
    assert.equal(writeChoice({ chosen: [], kept: ['Hair'] }, { parts: [], extras: [] }), 'Hair');
  });

  it('knows a choice of nothing from a choice of all, here and when a message comes', () => {
    const stored = writeChoice(NOTHING, OFFER);
    assert.ok(isNone(stored));
    assert.deepEqual(readChoice(stored, OFFER), NOTHING);
    assert.deepEqual(labelNames().field(stored), []);
    assert.ok(!isNone(''));
  });

  for (const choice of [
    { chosen: ['Hair'], kept: ['Glove'] },
    { chosen: ['Face', 'Background'], kept: [] },
    { chosen: OFFER.parts, kept: [] },
    NOTHING,
  ]) {
    it(`reads back what it wrote: ${JSON.stringify(choice)}`, () => {
      assert.deepEqual(readChoice(writeChoice(choice, OFFER), OFFER), choice);
    });
  }

  it('changes by names, on show or not', () => {
    const choice = { chosen: ['Hair', 'Human'], kept: ['Glove'] };
    assert.deepEqual(choose(choice, ['Face', 'Hair'], true).chosen.toSorted(), ['Face', 'Hair', 'Human']);
    assert.deepEqual(choose(choice, ['Face', 'Hair'], false), { chosen: ['Human'], kept: ['Glove'] });
    assert.deepEqual(keep(choice, ['Glove'], false), { chosen: ['Hair', 'Human'], kept: [] });
    assert.deepEqual(keep(keep(choice, ['Glove'], false), ['Glove'], true), choice);
  });

  it('turns round for the parts alone', () => {
    assert.deepEqual(invert({ chosen: ['Hair', 'Human'], kept: ['Glove'] }, OFFER), {
      chosen: ['Face', 'Left-arm', 'Human'],
      kept: ['Glove'],
    });
  });
});
