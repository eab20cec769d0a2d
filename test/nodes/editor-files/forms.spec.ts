/** Forms and programs agree on what a property may be. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { ACTIONS } from '../../../nodes/common/message-options.ts';
import type { Option } from '../../../src/parsing/options/option-table.ts';
import { PALETTES } from '../../../src/parsing/options/palette.ts';
import { checkName } from '../../../src/store/names.ts';
import { prefixOf, template } from '../support/editor-files.ts';
import { fieldsOf, type NodeType, registered, TYPES } from '../support/flows.ts';

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
    assert.deepEqual(choices('m2fp-colorize', 'mode'), ['overlay', 'map', 'indexed', 'labels', 'persons']);
    assert.deepEqual(choices('m2fp-crop', 'format'), ['png', 'jpeg', 'webp']);
    assert.deepEqual(choices('m2fp-infer', 'policy'), ['wait', 'latest', 'reject']);
    assert.deepEqual(choices('m2fp-model', 'precision'), ['fp32', 'fp16', 'int8']);
    assert.deepEqual(choices('m2fp-colorize', 'palette'), [...PALETTES]);
  });

  it('begin with, offer and allow what the tables of options take, and no more', () => {
    let options = 0;
    for (const type of TYPES) {
      for (const [name, field] of Object.entries(fieldsOf(type))) {
        if (!('read' in field)) continue;
        const { form } = field;
        const read = (entered: unknown): unknown => {
          const option = field as Option<unknown>;
          return option.read(name, option.field(entered));
        };
        const verdict = (entered: unknown): boolean =>
          (registered(type).defaults[name]!.validate?.call({}, entered) ?? true) === true;
        const refuses = (entered: unknown): void =>
          assert.throws(() => read(entered), { code: 'M2FP_BAD_OPTION' }, `${type}.${name}`);
        for (const entered of [form.value, '', undefined, ...(form.choices ?? [])]) {
          assert.ok(verdict(entered), `${type}.${name}: ${String(entered)}`);
          read(entered);
        }
        options++;
        const [check, min, max] = form.check ?? [];
        if (check === 'between' || check === 'whole') {
          for (const entered of [String(min), max]) {
            assert.ok(verdict(entered), `${type}.${name}: ${entered}`);
            read(entered);
          }
          for (const entered of [min! - 1, String(max! + 1), 'x']) {
            assert.ok(!verdict(entered), `${type}.${name}: ${entered}`);
            // As many crops as there are may be asked for in a message.
            if (!(name === 'max' && Number(entered) > max!)) refuses(entered);
          }
        } else if (form.choices) {
          assert.ok(!verdict('no such choice'), `${type}.${name}`);
          refuses('no such choice');
        }
      }
    }
    assert.ok(options > 60, String(options));
  });

  const IDS = {
    good: ['iic/cv_resnet101_image-multiple-human-parsing', 'a/b', 'me/x.y_z-1', '${MODEL}'],
    bad: ['', 'one', 'a/b/c', '../up', 'a/..', 'a/b c', 'a/-b', 'a/b.', 'con/a', 'https://a/b', 'a/x..y'],
  };

  const checkId = (id: string) => checkName({ id, revision: 'master', precision: 'fp32' });
  for (const id of IDS.good.filter((entry) => !entry.startsWith('$'))) {
    it(`agree with the store that ${id} is an id`, () => void checkId(id));
  }
  for (const id of IDS.bad) {
    it(`agree with the store that "${id}" is no id`, () => {
      assert.throws(() => checkId(id), { code: 'M2FP_BAD_OPTION' });
    });
  }

  const verdict = (type: NodeType, property: string, value: unknown, node: object = {}): unknown =>
    registered(type).defaults[property]!.validate!.call(node, value, {});

  const anywhere: [type: NodeType, property: string, good: unknown[], bad: unknown[]][] = [
    ['m2fp-model', 'threads', [0, '4', ''], [-1, '1.5', 'many']],
    ['m2fp-model', 'maxQueue', [0, '8'], [-1, 'x']],
    ['m2fp-model', 'timeout', [0, 60], [-1, 'x']],
    ['m2fp-model', 'shortSide', ['', '640'], ['1', 'x', '99999']],
    ['m2fp-model', 'processes', [0, '2'], [-1, '1.5', 65]],
    ['m2fp-model', 'idleUnload', [0, '30'], [-1, 'x']],
    ['m2fp-model', 'maxMemory', [0, '4096'], [-1, 'x']],
    ['m2fp-model', 'maxMegapixels', [64, '500'], [0, '0.5', 501]],
    ['m2fp-model', 'maxImageSize', [32, '1024'], [0, 'x', 1025]],
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
  ];
  for (const [type, property, good, bad] of anywhere) {
    for (const value of good) {
      it(`take ${inspect(value)} for ${type}.${property}`, () => {
        assert.equal(verdict(type, property, value), true);
      });
    }
    for (const value of bad) {
      it(`mark ${inspect(value)} for ${type}.${property} and say what is needed`, () => {
        assert.equal(typeof verdict(type, property, value), 'string');
      });
    }
  }

  const bySource: [source: string, property: string, good: string[], bad: string[]][] = [
    ['modelscope', 'modelId', IDS.good, IDS.bad],
    ['modelscope', 'revision', ['', 'master', 'v1.0.1', '${REVISION}'], ['a/b', '..', '-x', 'a b']],
    [
      'modelscope',
      'baseUrl',
      ['', 'https://mirror.lan', 'http://a:8080/hub', '${MIRROR}', 'https://${HOST}/hub'],
      ['mirror.lan', 'ftp://a', 'https://a?b', 'https://a b'],
    ],

    [
      'remote',
      'redis',
      ['redis://127.0.0.1:6379', 'rediss://r.lan', 'redis://[::1]:6379/1', '${REDIS}', 'redis://${HOST}:1'],
      ['', '127.0.0.1:6379', 'http://a', 'redis://', 'redis://a b', 'redis://a/db', 'redis://:secret@a'],
    ],
    ['remote', 'queue', ['', 'm2fp', 'a.b_c-1', 'm2fp-${SITE}'], ['a b', 'a/b', 'x'.repeat(65)]],
  ];
  for (const [source, property, good, bad] of bySource) {
    for (const value of good) {
      it(`take "${value}" for the ${property} of ${source}`, () => {
        assert.equal(verdict('m2fp-model', property, value, { source }), true);
      });
    }
    for (const value of bad) {
      it(`mark "${value}" for the ${property} of ${source}, and of no other source`, () => {
        assert.equal(typeof verdict('m2fp-model', property, value, { source }), 'string');
        assert.equal(verdict('m2fp-model', property, value, { source: 'bundled' }), true);
      });
    }
  }

  it('say of a password in an address that it has a field of its own', () => {
    const secret = verdict('m2fp-model', 'redis', 'redis://me:secret@a', { source: 'remote' }) as string;
    assert.ok(secret.endsWith('invalid.secret'), secret);
  });

  it('want a folder where the model comes from one', () => {
    assert.equal(typeof verdict('m2fp-model', 'folder', ' ', { source: 'folder' }), 'string');
    assert.equal(verdict('m2fp-model', 'folder', '', { source: 'bundled' }), true);
    assert.equal(verdict('m2fp-model', 'folder', '/a', { source: 'folder' }), true);
  });
});
