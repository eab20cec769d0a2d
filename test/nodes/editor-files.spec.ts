/** What the editor and the flow library read of the nodes: forms, catalogues, help, icons. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import vm from 'node:vm';
import sharp from 'sharp';
import { ACTIONS } from '../../nodes/common/overrides.ts';
import { POLICIES } from '../../nodes/common/queue-fields.ts';
import { STATUS_CODES } from '../../src/errors.ts';
import { PALETTES } from '../../src/parsing/palette.ts';
import { checkName } from '../../src/store/names.ts';
import packageJson from '../../package.json' with { type: 'json' };
import {
  editorPage,
  editorScript,
  nodeConfig,
  nodeFile,
  type NodeType,
  readNodeFile,
  registered,
  TYPES,
} from './support/flows.ts';

const LANGUAGES = ['en-US', 'zh-CN'] as const;
const NAMESPACE = `${packageJson.name}/m2fp-model`;
/** Not fields of a form with a label of ours: Node-RED's own label, and what no user sees. */
const UNLABELLED = new Set([
  'name',
  'configVersion',
  'pictureType',
  'parsingType',
  'resultType',
  'priorityType',
]);
/** Types whose nodes stored less in their first version, and what they store now. */
const VERSIONS: Partial<Record<NodeType, number>> = {
  'm2fp-model': 2,
  'm2fp-infer': 2,
  'm2fp-colorize': 2,
  'm2fp-crop': 2,
};
/** Types with a second output. */
const TWO_OUTPUTS: NodeType[] = ['m2fp-redact', 'm2fp-load', 'm2fp-infer'];

/** Not in the dialog: the version, and what a button at the node changes. */
const NO_FIELD = new Set(['configVersion', 'active']);

type Tree = { [key: string]: Tree | string };

function flatten(tree: Tree, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'string'
        ? [[prefix + key, value]]
        : Object.entries(flatten(value, `${prefix}${key}.`)),
    ),
  );
}

function catalogue(type: NodeType, language: string): Record<string, string> {
  return flatten(JSON.parse(readNodeFile(type, `locales/${language}/${type}.json`)) as Tree);
}

function help(type: NodeType, language: string): string {
  return readNodeFile(type, `locales/${language}/${type}.html`);
}

/** The form's template. */
function template(type: NodeType): string {
  const html = readNodeFile(type, `${type}.html`);
  return new RegExp(`<script type="text/html" data-template-name="${type}">([^]*)</script>`).exec(html)![1]!;
}

/** The texts that an html or a program names. */
function textKeys(type: NodeType): string[] {
  const html = readNodeFile(type, `${type}.html`);
  const inTemplate = [...html.matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"/g)].map((match) => match[1]!);
  const inScript = [...editorScript(type).matchAll(/this\._\('([^']+[^.'])'\)/g)].map((match) => match[1]!);
  return [...inTemplate, ...inScript].filter((key) => !key.startsWith('node-red:'));
}

const prefixOf = (type: NodeType): string => (type === 'm2fp-model' ? 'node-config-input-' : 'node-input-');

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
      const html = readNodeFile(type, `${type}.html`);
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

describe('the shared catalogue', () => {
  it('has a text for every error and state', () => {
    for (const language of LANGUAGES) {
      const texts = catalogue('m2fp-model', language);
      for (const code of [...Object.keys(STATUS_CODES), 'other'])
        assert.ok(`m2fp-model.error.${code}` in texts, code);
    }
  });

  it('keeps statuses within 20 characters', () => {
    for (const language of LANGUAGES) {
      for (const [key, text] of Object.entries(catalogue('m2fp-model', language))) {
        if (!/^m2fp-model\.(status|pull|result|error)\./.test(key)) continue;
        const filled = text
          .replace('__time__', '12')
          .replace('__n__', '12')
          .replace('__waiting__', '12')
          .replace('__dropped__', '1.2k')
          .replace('__percent__', '100')
          .replace('__share__', '99')
          .replace('__size__', '9999')
          .replace('__speed__', '999');
        assert.ok(filled.length <= 20, `${key}: ${filled}`);
      }
    }
  });

  it('has the namespace that programs and forms name', () => {
    const status = readFileSync(new URL('../../nodes/common/status.ts', import.meta.url), 'utf8');
    assert.ok(status.includes(`'${NAMESPACE}:m2fp-model'`));
    for (const type of TYPES) {
      const own = Object.keys(catalogue(type, 'en-US'));
      const shared = Object.keys(catalogue('m2fp-model', 'en-US'));
      for (const [, set, key] of editorScript(type).matchAll(/'@([^:']+):([^']+)'/g)) {
        const known = `@${set}` === NAMESPACE ? shared : own;
        assert.ok([NAMESPACE, `${packageJson.name}/${type}`].includes(`@${set}`), set);
        assert.ok(
          known.some((text) => text === key || (key!.endsWith('.') && text.startsWith(key!))),
          key,
        );
      }
    }
  });

  it('calls the palette category the same everywhere', () => {
    for (const language of LANGUAGES) {
      const labels = TYPES.slice(1).map((type) => catalogue(type, language)['palette.label.m2fp']);
      assert.equal(new Set(labels).size, 1);
      assert.ok(labels[0]);
      assert.ok(catalogue('m2fp-model', language)['m2fp-model.category']);
    }
    // Which node is the first to register is up to who disables some.
    for (const type of TYPES.slice(1))
      assert.equal(registered(type)['categoryDescription'], `${NAMESPACE}:m2fp-model.category`);
  });
});

describe('the forms', () => {
  const choices = (type: NodeType, property: string): string[] => {
    const select = new RegExp(`<select[^>]* id="${prefixOf(type)}${property}"[^>]*>([^]*?)</select>`).exec(
      template(type),
    );
    return [...select![1]!.matchAll(/value="([^"]+)"/g)].map((match) => match[1]!);
  };

  it('offer what the programs understand', () => {
    assert.deepEqual(choices('m2fp-load', 'action'), [...ACTIONS]);
    assert.deepEqual(choices('m2fp-model', 'source'), ['bundled', 'modelscope', 'folder', 'remote']);
    assert.deepEqual(choices('m2fp-infer', 'policy'), [...POLICIES]);
    assert.deepEqual(choices('m2fp-model', 'precision'), ['fp32', 'fp16']);
    assert.deepEqual(choices('m2fp-colorize', 'palette'), [...PALETTES]);
  });

  const IDS = {
    good: ['damo/cv_resnet101_image-multiple-human-parsing', 'a/b', 'me/x.y_z-1', '${MODEL}'],
    bad: ['', 'one', 'a/b/c', '../up', 'a/..', 'a/b c', 'a/-b', 'a/b.', 'con/a', 'https://a/b', 'a/x..y'],
  };

  it('agree with the store on what an id is', () => {
    const check = (id: string) => checkName({ id, revision: 'master', precision: 'fp32' });
    for (const id of IDS.good.filter((entry) => !entry.startsWith('$'))) check(id);
    for (const id of IDS.bad) assert.throws(() => check(id), { code: 'M2FP_BAD_OPTION' }, id);
  });

  it('mark wrong values and say what is needed', () => {
    const verdict = (type: NodeType, property: string, value: unknown, node: object = {}): unknown =>
      registered(type).defaults[property]!.validate!.call(node, value, {});
    for (const [type, property, good, bad] of [
      ['m2fp-model', 'threads', [0, '4', ''], [-1, '1.5', 'many']],
      ['m2fp-model', 'maxQueue', [0, '8'], [-1, 'x']],
      ['m2fp-model', 'timeout', [0, 60], [-1, 'x']],
      ['m2fp-model', 'shortSide', ['', '640'], ['1', 'x', '99999']],
      ['m2fp-model', 'processes', [0, '2'], [-1, '1.5', 65]],
      ['m2fp-model', 'idleUnload', [0, '30'], [-1, 'x']],
      ['m2fp-model', 'maxMemory', [0, '4096'], [-1, 'x']],
      ['m2fp-model', 'cacheSize', [0, '64'], [-1, '0.5']],
      ['m2fp-infer', 'scoreThreshold', ['', '0.1', 1], ['0', '2', 'x']],
      ['m2fp-infer', 'limit', ['', 0, '8', undefined], ['-1', '1.5', 'x']],
      ['m2fp-infer', 'maxAge', ['', 0, '0.5', undefined], ['-1', 'x', '86401']],
      ['m2fp-colorize', 'opacity', [0, '0.5', 1], ['2', '-1', 'x']],
      ['m2fp-colorize', 'colors', ['', '{}', '{"Hair": "red"}'], ['{', '[]', 'null', '3']],
      ['m2fp-colorize', 'contours', [0, '3'], ['1.5', '65', 'x']],
      ['m2fp-colorize', 'quality', [1, '100'], ['0', '101']],
      ['m2fp-crop', 'padding', ['0', '12', '10%', ' 2.5 % ', ''], ['x', '-1', '%', '1.5']],
      ['m2fp-colorize', 'textSize', ['', 0, '24'], ['-1', 'x', '201']],
      ['m2fp-crop', 'minArea', [0, '10', '0.5%', ' 100 % '], ['-1', '0.5', '101%', 'x']],
      ['m2fp-crop', 'aspect', ['', '1:1', '3 : 4', '0.75'], ['x', '3:', '-1:2', '1:2:3']],
      ['m2fp-crop', 'groups', ['', 'head', 'a=Hair+Face, head', 'a=Hair;b=Face;'], ['=', 'a=', 'a=b=c', ',']],
      ['m2fp-crop', 'fill', ['', 'Transparent', '#fff', 'red'], ['x', '#ff']],
      ['m2fp-crop', 'grow', ['', 0, '-12', 3.5], ['x', '-513']],
      ['m2fp-crop', 'width', ['', 0, '300'], ['-1', '16385', '1.5']],
      ['m2fp-crop', 'minScore', [0, '1'], ['1.1', 'x']],
      ['m2fp-crop', 'max', [1, '255'], ['0', 'x']],
    ] as [NodeType, string, unknown[], unknown[]][]) {
      for (const value of good)
        assert.equal(verdict(type, property, value), true, `${type}.${property} ${String(value)}`);
      for (const value of bad)
        assert.equal(typeof verdict(type, property, value), 'string', `${property} ${String(value)}`);
    }
    const published = { source: 'modelscope' };
    for (const [property, good, bad] of [
      ['modelId', IDS.good, IDS.bad],
      ['revision', ['', 'master', 'v1.0.1', '${REVISION}'], ['a/b', '..', '-x', 'a b']],
      [
        'baseUrl',
        ['', 'https://mirror.lan', 'http://a:8080/hub', '${MIRROR}', 'https://${HOST}/hub'],
        ['mirror.lan', 'ftp://a', 'https://a?b', 'https://a b'],
      ],
    ] as [string, string[], string[]][]) {
      for (const value of good) assert.equal(verdict('m2fp-model', property, value, published), true, value);
      for (const value of bad) {
        assert.equal(typeof verdict('m2fp-model', property, value, published), 'string', value);
        assert.equal(verdict('m2fp-model', property, value, { source: 'bundled' }), true);
      }
    }
    const remote = { source: 'remote' };
    for (const [property, good, bad] of [
      [
        'redis',
        ['redis://127.0.0.1:6379', 'rediss://r.lan', 'redis://[::1]:6379/1', '${REDIS}', 'redis://${HOST}:1'],
        ['', '127.0.0.1:6379', 'http://a', 'redis://', 'redis://a b', 'redis://a/db', 'redis://:secret@a'],
      ],
      ['queue', ['', 'm2fp', 'a.b_c-1', 'm2fp-${SITE}'], ['a b', 'a/b', 'x'.repeat(65)]],
    ] as [string, string[], string[]][]) {
      for (const value of good) assert.equal(verdict('m2fp-model', property, value, remote), true, value);
      for (const value of bad) {
        assert.equal(typeof verdict('m2fp-model', property, value, remote), 'string', value);
        assert.equal(verdict('m2fp-model', property, value, { source: 'bundled' }), true);
      }
    }
    const secret = verdict('m2fp-model', 'redis', 'redis://me:secret@a', remote) as string;
    assert.ok(secret.endsWith('invalid.secret'), secret);
    assert.equal(typeof verdict('m2fp-model', 'folder', ' ', { source: 'folder' }), 'string');
    assert.equal(verdict('m2fp-model', 'folder', '', { source: 'bundled' }), true);
    assert.equal(verdict('m2fp-model', 'folder', '/a', { source: 'folder' }), true);
  });

  it('require a model where the node needs one', () => {
    for (const type of ['m2fp-load', 'm2fp-preprocess', 'm2fp-infer'] as const) {
      const { model } = registered(type).defaults;
      assert.deepEqual([model!.type, model!.required, model!.value], ['m2fp-model', true, '']);
    }
  });
});

describe('the folder of nodes', () => {
  it('holds a folder for each type, and no icon of another name', () => {
    const folders = readdirSync(new URL('../../nodes', import.meta.url)).filter(
      (name) => !['common', 'form'].includes(name),
    );
    assert.deepEqual(folders.toSorted(), [...TYPES].toSorted());
    for (const type of TYPES) {
      for (const icon of readdirSync(nodeFile(type, 'icons'))) assert.match(icon, /^m2fp-[\w-]+\.svg$/);
    }
  });
});
