import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { labelText } from '../../../nodes/form/texts.ts';
import { LABEL_SETS } from '../../../src/m2fp/labels.ts';
import { PART_GROUPS } from '../../../src/m2fp/part-groups.ts';
import { readNodeFile } from '../support/flows.ts';

type Texts = Record<string, Record<string, unknown>>;

const catalogue = (language: string): Texts =>
  (JSON.parse(readNodeFile('m2fp-model', `locales/${language}/m2fp-model.json`)) as { 'm2fp-model': Texts })[
    'm2fp-model'
  ];

/** The keys that a program names as `text('…')` or, where they end in a value, `text(`….${`. */
function keysIn(file: string): string[] {
  const program = readFileSync(new URL(`../../../nodes/form/${file}`, import.meta.url), 'utf8');
  return [...program.matchAll(/[tT]ext\(['`]([\w.]+)(?:['`]|\$)/g)].map((match) => match[1]!);
}

for (const language of ['en-US', 'zh-CN']) {
  describe(`the texts of the forms' script (${language})`, () => {
    const { parts, about } = catalogue(language);

    const has = (texts: unknown, key: string): boolean => {
      const found = key
        .split('.')
        .filter((name) => name !== '')
        .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], texts);
      return key.endsWith('.') ? typeof found === 'object' : typeof found === 'string';
    };

    it('are all there', () => {
      const ofParts = keysIn('part-toggles.ts').filter((key) => key !== 'parts.');
      const ofAbout = [...keysIn('about-rows.ts'), ...keysIn('about-model.ts')].filter(
        (key) => !['about.', 'licence.'].includes(key),
      );
      assert.ok(ofParts.length >= 4 && ofAbout.length >= 15);
      for (const key of [...ofParts, 'all', 'none', 'invert', 'count', 'countAll', 'countNone'])
        assert.ok(has(parts, key), key);
      for (const key of ofAbout) assert.ok(has(about, key), key);
      const states = [
        'absent',
        'unconverted',
        'pulling',
        'idle',
        'loading',
        'ready',
        'running',
        'failed',
        'closed',
        'disconnected',
        'searching',
      ];
      const rows = [
        'id',
        'labels',
        'input',
        'size',
        'digest',
        'memory',
        'time',
        'state',
        'licence',
        'precision',
        'workers',
      ];
      for (const key of [
        ...states.map((name) => `states.${name}`),
        ...rows.map((name) => `row.${name}`),
        'inputRule.short-side',
        'inputRule.canvas',
        'time.cpu',
        'time.wasm',
        'downloadAndCheck',
      ])
        assert.ok(has(about, key), key);
    });

    it('name every group and every label of every set', () => {
      for (const group of [...PART_GROUPS, 'other', 'whole', 'missing'])
        assert.ok(has(parts, `group.${group}`), group);
      const names = parts!['name'] as Record<string, string>;
      const labels = new Set(Object.values(LABEL_SETS).flatMap((set) => set.labels));
      assert.deepEqual(Object.keys(names).toSorted(), [...labels].toSorted());
      if (language === 'en-US') {
        // The words of the label, as a person writes them.
        for (const label of labels) assert.match(names[label]!, /^[A-Z][a-z]*(?:[ /-][a-z]+)*$/, label);
        assert.equal(names['UpperClothes'], 'Upper clothes');
      }
    });
  });
}

describe('the name of a label', () => {
  const names: Record<string, string> = { Hair: '头发', Coat: 'Coat', UpperClothes: 'Upper clothes' };
  const RED = {
    _: (key: string) => names[key.split('.').at(-1)!] ?? key,
  };

  it('is in the language of the editor, with the name of messages behind it', () => {
    assert.equal(labelText(RED, 'Hair'), '头发 (Hair)');
    assert.equal(labelText(RED, 'Coat'), 'Coat');
    assert.equal(labelText(RED, 'UpperClothes'), 'Upper clothes');
  });

  it('of which no catalogue knows stays', () => {
    assert.equal(labelText(RED, 'left wing'), 'left wing');
  });
});
