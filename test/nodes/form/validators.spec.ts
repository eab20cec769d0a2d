import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import type { Dollar, EditorRed } from '../../../nodes/form/editor.ts';
import { createForm } from '../../../nodes/form/form.ts';

const SHARED = '@m2fp/node-red-human-parsing/m2fp-model:m2fp-model.invalid';

/** Gives keys for texts, with their values behind. */
const RED = {
  _: (key: string, values?: object) => (values ? `${key} ${JSON.stringify(values)}` : key),
  validators: {
    typedInput:
      ({ typeField, allowUndefined }: { typeField: string; allowUndefined: boolean }) =>
      (value: unknown, opt?: { label?: string }) =>
        (allowUndefined && value === undefined) || value === 'right' || `${typeField} of ${opt?.label ?? ''}`,
  },
} as unknown as EditorRed;

const checks = createForm(RED, undefined as unknown as Dollar).validators('m2fp-crop');

describe('the checks of the forms', () => {
  for (const [name, check] of Object.entries({
    between: checks.between('a', 0, 1),
    whole: checks.whole('a', 0, 1),
    choice: checks.choice('a', 'b'),
    color: checks.color('a'),
    json: checks.json('a'),
    extent: checks.extent('a', 100),
    parts: checks.parts('a'),
    fill: checks.fill('a'),
    aspect: checks.aspect('a'),
    groups: checks.groups('a'),
    ids: checks.ids('a'),
    ofSource: checks.ofSource('folder'),
    property: checks.property('a'),
    optional: checks.optional('a'),
    inMessage: checks.inMessage('a'),
  })) {
    it(`${name} has two parameters, or Node-RED takes its messages for "valid"`, () => {
      assert.equal(check.length, 2);
    });
  }

  it('name the field by its label and the limits, or say just no where Node-RED wants no reason', () => {
    const check = checks.whole('max', 1, 9);
    const label = '@m2fp/node-red-human-parsing/m2fp-crop:m2fp-crop.label.max';
    assert.equal(
      check.call({}, '10', {}),
      `${SHARED}.whole ${JSON.stringify({ field: label, min: 1, max: 9 })}`,
    );
    assert.equal(check.call({}, '10'), false);
  });

  for (const [name, check] of Object.entries({
    whole: checks.whole('a', 1, 9),
    color: checks.color('a'),
    json: checks.json('a'),
    between: checks.between('a', 1, 2),
  })) {
    for (const blank of ['', ' ', undefined, null]) {
      it(`${name} leaves ${JSON.stringify(blank)} to the default`, () => {
        assert.equal(check.call({}, blank, {}), true);
      });
    }
  }

  for (const [name, check, good, bad] of [
    ['between', checks.between('a', 0, 1), [0, '0.5', 1], [-0.1, '1.1', 'x', NaN]],
    ['whole', checks.whole('a', -2, 3), ['-2', 0, 3], [4, '1.5', 'x', '-3']],
    [
      'color',
      checks.color('a'),
      ['#f00', '#FF00aa', 'red', ' teal '],
      ['#ff00', 'reddish', 'f00', '#ggg', '1'],
    ],
    ['json', checks.json('a'), ['{}', '{"Hair": "red"}'], ['{', '[]', 'null', '3', 'x']],
    ['extent', checks.extent('a', 100), ['0', '12', '10%', ' 2.5 % '], ['x', '-1', '%', '1.5', '101%']],
    ['fill', checks.fill('a'), ['#f00', ' Transparent '], ['clear', '#ff']],
    ['aspect', checks.aspect('a'), ['1:1', '3 : 4', '0.75', '16/9'], ['x', '3:', '-1:2', '1:2:3']],
    [
      'groups',
      checks.groups('a'),
      ['head', 'a=Hair+Face, head', 'a=Hair;b=Face;'],
      ['=', 'a=', 'a=b=c', ','],
    ],
    [
      'keep',
      checks.keep('a'),
      [
        '1',
        'id 2',
        'track 7',
        'track 7 of yard',
        'Track 7 OF m2fp/back yard, zone Door',
        'zone "Door, left", track 7 of "yard, back"',
      ],
      ['track 0', 'track 7 of', 'track x of yard', 'of yard', 'zone', 'zone "Door, left', 'zone "Door" left'],
    ],
    ['ids', checks.ids('a'), ['1', ' 1, 2 ,3 '], ['1;2', ',', 'one', '-1']],
    ['parts', checks.parts('a'), ['Hair', 'Hair, Face'], ['none', ' none ']],
  ] as const) {
    for (const value of good) {
      it(`${name} takes ${inspect(value)}`, () => assert.equal(check.call({}, value, {}), true));
    }
    for (const value of bad) {
      it(`${name} refuses ${inspect(value)}`, () => {
        assert.match(String(check.call({}, value, {})), new RegExp(`^${SHARED}`));
        assert.equal(check.call({}, value), false);
      });
    }
  }

  it('property takes what an older flow does not have, and leaves the rest to Node-RED, with the label', () => {
    const check = checks.property('result');
    assert.equal(check.call({}, undefined, {}), true);
    assert.equal(check.call({}, 'right', {}), true);
    assert.match(String(check.call({}, 'wrong', {})), /^resultType of .*m2fp-crop\.label\.result$/);
  });

  for (const language of ['en-US', 'zh-CN']) {
    it(`have their texts in ${language}`, () => {
      const path = `../../../nodes/m2fp-model/locales/${language}/m2fp-model.json`;
      const texts = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        'm2fp-model': { invalid: Record<string, string> };
      };
      const { invalid } = texts['m2fp-model'];
      for (const key of ['number', 'whole', 'color', 'colors', 'extent', 'aspect', 'groups', 'ids', 'parts'])
        assert.match(invalid[key]!, /__field__/);
    });
  }
});
