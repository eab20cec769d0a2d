/** What the editor and the flow library read of each node: form, texts, help, icon. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import vm from 'node:vm';
import sharp from 'sharp';
import { STATUS_CODES } from '../../../src/errors.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { catalogue, LANGUAGES, prefixOf, template } from '../support/editor-files.ts';
import {
  editorPage,
  editorScript,
  htmlOf,
  nodeConfig,
  nodeFile,
  type NodeType,
  readNodeFile,
  registered,
  TYPES,
} from '../support/flows.ts';

/** Not fields of a form with a label of ours: Node-RED's own label, and what no user sees. */
const UNLABELLED = new Set([
  'name',
  'configVersion',
  'pictureType',
  'parsingType',
  'resultType',
  'priorityType',
  'fileNameType',
]);
/** Types whose nodes stored less in their first version, and what they store now. */
const VERSIONS: Partial<Record<NodeType, number>> = {
  'm2fp-model': 2,
  'm2fp-infer': 2,
  'm2fp-colorize': 2,
  'm2fp-crop': 2,
};
/** Types with a second output. */
const TWO_OUTPUTS: NodeType[] = [
  'm2fp-camera',
  'm2fp-redact',
  'm2fp-load',
  'm2fp-infer',
  'm2fp-jobs',
  'm2fp-track',
];

/** Not in the dialog: the version, and what a button at the node changes. */
const NO_FIELD = new Set(['configVersion', 'active']);

function help(type: NodeType, language: string): string {
  return readNodeFile(type, `locales/${language}/${type}.html`);
}

/** The texts that an html or a program names. */
function textKeys(type: NodeType): string[] {
  const html = htmlOf(type);
  const inTemplate = [...html.matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"/g)].map((match) => match[1]!);
  const inScript = [...editorScript(type).matchAll(/this\._\('([^']+[^.'])'\)/g)].map((match) => match[1]!);
  return [...inTemplate, ...inScript].filter((key) => !key.startsWith('node-red:'));
}

for (const type of TYPES) {
  describe(`the editor's ${type}`, () => {
    const definition = registered(type);
    const isConfig = type === 'm2fp-model';

    it('is readable for the flow library', () => {
      const script = editorScript(type);
      assert.match(script, new RegExp(`RED\\.nodes\\.registerType\\('${type}', \\{`));
      assert.doesNotMatch(script, /\.\.\./);
      const literal = (name: string, value: string): void =>
        assert.match(
          script,
          new RegExp(`\\n\\s+${name}: ${value},\\n`),
          `${name} is not a literal in its own line`,
        );
      literal('color', `'#[0-9A-F]{6}'`);
      literal('icon', `'${type}\\.svg'`);
      literal('category', isConfig ? `'config'` : `'m2fp'`);
      assert.match(script, /\n\s+defaults: \{\n/);
      if (!isConfig) {
        literal('inputs', '1');
        literal('outputs', TWO_OUTPUTS.includes(type) ? '2' : '1');
      }
    });

    it("loads the forms' script before it uses it, in a tag that the flow library does not read", () => {
      const html = htmlOf(type);
      const tag = `<script src="resources/${packageJson.name}/m2fp-form.js"></script>\n`;
      if (editorScript(type).includes('M2FP.')) assert.ok(html.startsWith(tag));
    });

    it('names every port', () => {
      if (isConfig) return;
      const texts = catalogue(type, 'en-US');
      const { inputLabels, outputLabels, inputs, outputs } = definition as Record<string, unknown>;
      const node = { ...nodeConfig(type, 'id'), _: (key: string) => texts[key] };
      const labelOf = (labels: unknown, index: number): unknown =>
        (labels as (this: object, index: number) => unknown).call(node, index);
      const names = [
        ...Array.from({ length: inputs as number }, (_, index) => labelOf(inputLabels, index)),
        ...Array.from({ length: outputs as number }, (_, index) => labelOf(outputLabels, index)),
      ];
      assert.ok(names.length > 0);
      for (const name of names) assert.ok(name, `${type}: ${names.join(', ')}`);
    });

    it('is called by texts of its catalogue, or by its name', () => {
      if (isConfig) return;
      const texts = catalogue(type, 'en-US');
      const node = { ...nodeConfig(type, 'id'), _: (key: string) => texts[key] };
      const call = (name: string, self: object): unknown =>
        (definition[name] as (this: object) => unknown).call(self);
      for (const name of ['label', 'paletteLabel']) assert.ok(call(name, node), name);
      assert.equal(call('labelStyle', node), '');
      assert.equal(call('label', { ...node, name: 'mine' }), 'mine');
      assert.equal(call('labelStyle', { ...node, name: 'mine' }), 'node_label_italic');
    });

    it('leaves nothing on window', () => {
      const page = editorPage(() => {});
      const before = Object.keys(page);
      vm.runInNewContext(editorScript(type), page);
      assert.deepEqual(Object.keys(page), before);
    });

    it('has a version for later migrations, and defaults that are valid', () => {
      assert.equal(definition.defaults['configVersion']!.value, VERSIONS[type] ?? 1);
      for (const [name, { value, validate }] of Object.entries(definition.defaults)) {
        if (validate) assert.equal(validate.call({}, value, {}), true, name);
      }
    });

    it('has a field for each property, and no other', () => {
      const ids = [...template(type).matchAll(/<(?:input|select)\s[^>]*?id="([^"]+)"/g)].map(
        (match) => match[1]!,
      );
      const properties = [
        ...Object.keys(definition.defaults),
        ...Object.keys(definition.credentials ?? {}),
      ].filter((name) => !NO_FIELD.has(name));
      assert.deepEqual(ids.toSorted(), properties.map((name) => prefixOf(type) + name).toSorted());
    });

    it('has a label for every field', () => {
      const html = template(type);
      const fields = [...html.matchAll(/<(input|select)\s([^>]*)/g)].filter(
        (match) => !match[2]!.includes('hidden'),
      );
      for (const [, , attributes] of fields) {
        const id = /id="([^"]+)"/.exec(attributes!)![1]!;
        assert.ok(html.includes(`for="${id}"`), `${id} has no label`);
      }
      for (const name of Object.keys(definition.defaults)) {
        if (!UNLABELLED.has(name) && !NO_FIELD.has(name))
          assert.ok(html.includes(`"${type}.label.${name}"`), `${name} is not labelled`);
      }
    });

    it('has an icon of 2:3, white on nothing', async () => {
      const icon = readFileSync(nodeFile(type, `icons/${type}.svg`));
      const { width, height } = await sharp(icon).metadata();
      assert.deepEqual([width, height], [40, 60]);
      const { data } = await sharp(icon).raw().toBuffer({ resolveWithObject: true });
      let visible = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3]! < 32) continue;
        visible++;
        assert.ok(data[at]! > 240 && data[at + 1]! > 240 && data[at + 2]! > 240, 'a colour other than white');
      }
      assert.ok(visible > 200 && visible < 1600);
    });

    it('has the same texts in every language, none of them empty', () => {
      const [first, ...others] = LANGUAGES.map((language) => catalogue(type, language));
      for (const other of others) assert.deepEqual(Object.keys(other), Object.keys(first!));
      for (const texts of [first!, ...others]) {
        for (const [key, text] of Object.entries(texts)) assert.notEqual(text.trim(), '', key);
      }
    });

    it('fills the same placeholders in every language', () => {
      const [first, ...others] = LANGUAGES.map((language) => catalogue(type, language));
      const placeholders = (text: string): string[] =>
        (text.match(/__\w+__|<code>.*?<\/code>/g) ?? []).toSorted();
      for (const other of others) {
        for (const [key, text] of Object.entries(first!)) {
          // Of what Node-RED says in English, a translation leaves out what is English in it: says.spec.ts.
          if (/\.about\.(says\.|unknown$)/.test(key)) continue;
          assert.deepEqual(placeholders(other[key]!), placeholders(text), key);
        }
      }
    });

    it('names no text that does not exist', () => {
      const texts = catalogue(type, 'en-US');
      const keys = textKeys(type);
      assert.ok(keys.length > 3);
      for (const key of keys) assert.ok(key in texts, key);
    });

    for (const language of LANGUAGES) {
      it(`has help in ${language} with every section, property, label and error`, () => {
        const text = help(type, language);
        assert.match(text, new RegExp(`^<script type="text/html" data-help-name="${type}">\\n\\s*<p>`));
        const sections = [...text.matchAll(/<h3>(.+?)<\/h3>/g)].map((match) => match[1]!);
        const expected = {
          'en-US': ['Inputs', 'Outputs', 'Options', 'Details', 'Errors'],
          'zh-CN': ['输入', '输出', '选项', '详细', '错误'],
        }[language];
        assert.deepEqual(sections, isConfig ? [expected[2], expected[3]] : expected);

        const texts = catalogue(type, language);
        for (const name of Object.keys(definition.credentials ?? {})) {
          const label = texts[`${type}.label.${name}`]!;
          assert.ok(text.includes(`${label} <code>${name}</code>`), `${label} is missing`);
        }
        for (const name of Object.keys(definition.defaults)) {
          if (UNLABELLED.has(name)) continue;
          assert.ok(text.includes(`<code>${name}</code>`), `the property ${name} is missing`);
          const label = texts[`${type}.label.${name}`]!;
          assert.match(text, new RegExp(`<dt[^>]*>\\s*${label} <code>${name}</code>`));
        }
        for (const [, code, status] of text.matchAll(/<code>(M2FP_\w+)<\/code>(?:\s*[（(](\d+))?/g)) {
          assert.ok(Object.hasOwn(STATUS_CODES, code!), code);
          const told = STATUS_CODES[code as keyof typeof STATUS_CODES];
          if (status !== undefined) assert.equal(Number(status), told, code);
        }
        if (!isConfig) assert.match(text, /<pre>[^]+<\/pre>/, 'an example is missing');
        assert.doesNotMatch(text, /<(b|i|strong|em)>/);
      });
    }

    it('tells the same codes and properties in every language', () => {
      const codes = LANGUAGES.map((language) =>
        [...new Set(help(type, language).match(/<code>[\w.-]+<\/code>/g) ?? [])].toSorted(),
      );
      assert.deepEqual(codes[1], codes[0]);
    });
  });
}

describe('the folder of nodes', () => {
  it('holds a folder for each type', () => {
    const folders = readdirSync(new URL('../../../nodes', import.meta.url)).filter(
      (name) => !['common', 'form'].includes(name),
    );
    assert.deepEqual(folders.toSorted(), [...TYPES].toSorted());
  });

  for (const type of TYPES) {
    it(`holds no icon of another name for ${type}`, () => {
      for (const icon of readdirSync(nodeFile(type, 'icons'))) assert.match(icon, /^m2fp-[\w-]+\.svg$/);
    });
  }
});
