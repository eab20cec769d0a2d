/** What the build makes of a node's html. */
import assert from 'node:assert/strict';
import { MODEL_FIELD, textField, typedField } from '../../nodes/common/form-fields.ts';
import { custom, flag, inForm, number, oneOf } from '../../src/parsing/options/option-table.ts';
import { expandHtml } from '../../tools/node-html.ts';

const FIELDS = {
  ...MODEL_FIELD,
  opacity: number(0, 1, 0.6),
  mode: oneOf(['png', 'map'], 'map'),
  names: flag(true),
  list: custom((_name, given) => given, { input: 'list', value: "it's" }),
  radius: inForm(number(0, 9, 0), { value: '' }),
  note: textField(''),
  ...typedField('result', 'payload', { required: true }),
};

const row = (attributes: string, html = ''): string =>
  expandHtml(`${html}  <form-row ${attributes} />\n`, 'm2fp-x', FIELDS);

describe("a node's html", () => {
  it('has the fields among its defaults, as literals', () => {
    const html = expandHtml('  defaults: {\n    // FIELDS are here.\n  },\n', 'm2fp-x', FIELDS);
    assert.equal(
      html,
      [
        '  defaults: {',
        "    model: { value: '', type: 'm2fp-model', required: false },",
        "    opacity: { value: 0.6, validate: check.between('opacity', 0, 1) },",
        "    mode: { value: 'map', validate: check.choice('mode', 'png', 'map') },",
        '    names: { value: true },',
        "    list: { value: 'it\\'s' },",
        "    radius: { value: '', validate: check.between('radius', 0, 9) },",
        "    note: { value: '' },",
        "    result: { value: 'payload', required: true, validate: check.property('result') },",
        "    resultType: { value: 'msg' },",
        '  },',
        '',
      ].join('\n'),
    );
  });

  it('has a row with label, input and hint for a number', () => {
    assert.equal(
      row('name="opacity" icon="adjust" hint="share" when="mode=map"'),
      [
        '  <div class="form-row" data-when="mode=map">',
        '    <label for="node-input-opacity"><i class="fa fa-adjust"></i> <span data-i18n="m2fp-x.label.opacity"></span></label>',
        '    <input type="text" inputmode="decimal" id="node-input-opacity" class="m2fp-number" />',
        '    <span class="m2fp-hint" data-i18n="m2fp-x.hint.share"></span>',
        '  </div>',
        '',
      ].join('\n'),
    );
  });

  it('offers the choices of the table, by the catalogue or by names that are the same everywhere', () => {
    const html = row('name="mode" icon="th"');
    assert.match(
      html,
      /<option value="png">PNG<\/option>\n\s+<option value="map" data-i18n="m2fp-x.mode.map">/,
    );
  });

  it('has a row for a checkbox, a list, a TypedInput, a text and the name', () => {
    assert.match(row('name="names"'), /m2fp-check">\n\s+<input type="checkbox" id="node-input-names" \/>/);
    assert.match(
      row('name="list" icon="a" container="parts"'),
      /type="hidden" .*\n\s+<div id="m2fp-x-parts">/,
    );
    assert.match(
      row('name="result" icon="a" below="sum"'),
      /data-types="msg flow global" \/>\n\s+<input type="hidden" id="node-input-resultType" \/>\n\s+<div class="m2fp-below"/,
    );
    assert.match(row('name="note" icon="a" placeholder="…"'), /class="m2fp-select" placeholder="…"/);
    assert.match(row('name="radius" icon="a" blank="auto"'), /\[placeholder\]m2fp-x\.hint\.auto/);
    assert.match(row('name="name" icon="tag"'), /data-i18n="\[placeholder\]node-red:common\.label\.name"/);
  });

  it('has the ids of a config node', () => {
    assert.match(row('name="note" icon="a"', "category: 'config'\n"), /id="node-config-input-note"/);
  });

  it('is not made where a row names no field, or has an attribute that rows do not have', () => {
    assert.throws(() => row('name="opacitty"'), /m2fp-x has a row for opacitty, but no such field/);
    assert.throws(() => row('name="opacity" hnt="share"'), /no attribute hnt, only name, icon/);
  });
});
