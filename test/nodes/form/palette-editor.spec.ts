import assert from 'node:assert/strict';
import { readColors, swatchesOf } from '../../../nodes/form/palette-editor.ts';
import { hexOf, pascalColor, resolvePalette } from '../../../src/parsing/options/palette.ts';

const PARTS = [{ name: 'Background' }, { name: 'Hair' }, { name: 'Coat' }];

describe('the swatches of the palette editor', () => {
  it('have the colours of the palette, and the user’s own on top', () => {
    const names = PARTS.map(({ name }) => name);
    const [background, , coat] = resolvePalette(names).map(hexOf) as [string, string, string];
    assert.deepEqual(swatchesOf(PARTS, 'auto', { Hair: '#102030' }), [
      { name: 'Background', color: background, isOwn: false },
      { name: 'Hair', color: '#102030', isOwn: true },
      { name: 'Coat', color: coat, isOwn: false },
    ]);
    assert.deepEqual(
      swatchesOf(PARTS, 'pascal', {}).map(({ color }) => color),
      [0, 1, 2].map((index) => hexOf(pascalColor(index))),
    );
    assert.deepEqual(swatchesOf(PARTS, 'unheard of', {}), swatchesOf(PARTS, 'auto', {}));
  });

  it('keep own colours of labels that are not on show', () => {
    assert.deepEqual(swatchesOf([], 'auto', { Glove: '#112233' }), [
      { name: 'Glove', color: '#112233', isOwn: true },
    ]);
  });
});

describe('the palette editor’s table', () => {
  it('reads colours in every form, and labels in any spelling', () => {
    assert.deepEqual(readColors('{"HAIR": "red", "left arm": [1, 2, 3], "Coat": "#abc"}', ['Hair', 'Coat']), {
      Hair: '#ff0000',
      'left arm': '#010203',
      Coat: '#aabbcc',
    });
    assert.deepEqual(readColors(' ', []), {});
  });

  for (const text of ['{', '[]', 'null', '3', '{"Hair": "hairy"}', '{"Hair": 3}']) {
    it(`refuses ${text}`, () => {
      assert.throws(() => readColors(text, ['Hair']), text);
    });
  }
});
