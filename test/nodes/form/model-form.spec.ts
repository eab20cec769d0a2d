import assert from 'node:assert/strict';
import type { Dollar, EditorNode, EditorRed } from '../../../nodes/form/editor.ts';
import { modelLabel, ofSource } from '../../../nodes/form/model-form.ts';
import { checkWorkerAddress } from '../../../src/engine/remote/redis/settings.ts';
import { MODELSCOPE, ModelAddress } from '../../../src/store/modelscope.ts';
import { checkName } from '../../../src/store/names.ts';

const RED = { _: (key: string) => key } as unknown as EditorRed;
/** No dialog is open. */
const $ = (() => ({ val: () => undefined })) as unknown as Dollar;
const ID = 'me/model';

/** Whether the program takes it. */
const takes = (use: () => unknown): boolean => {
  try {
    use();
    return true;
  } catch {
    return false;
  }
};

describe('the form of the model', () => {
  const precision = 'fp32';
  for (const [source, name, use, entries] of [
    [
      'modelscope',
      'modelId',
      (id) => checkName({ id, revision: 'master', precision }),
      ['a/b', 'me/x.y_z-1', 'one', 'a/b/c', '../up', 'a/..', 'a/b c', 'a/-b', 'a/b.', 'con/a', 'a/x..y'],
    ],
    [
      'modelscope',
      'revision',
      (revision) => checkName({ id: ID, revision, precision }),
      ['master', 'v1.0.1', 'a/b', '..', '-x', 'a b', 'nul.txt'],
    ],
    [
      'modelscope',
      'baseUrl',
      (url) => new ModelAddress(ID, 'master', url),
      [MODELSCOPE, 'http://a:8080/hub', 'mirror.lan', 'ftp://a'],
    ],
    [
      'remote',
      'redis',
      (url) => checkWorkerAddress({ url, username: '', password: '', queue: 'm2fp' }),
      [
        'redis://127.0.0.1:6379',
        'rediss://r.lan/1',
        '127.0.0.1:6379',
        'http://a',
        'redis://a/db',
        'redis://:x@a',
      ],
    ],
    [
      'remote',
      'queue',
      (queue) => checkWorkerAddress({ url: 'redis://a', username: '', password: '', queue }),
      ['m2fp', 'a.b_c-1', 'a b', 'a/b', 'x'.repeat(64), 'x'.repeat(65)],
    ],
  ] as [string, string, (entered: string) => unknown, string[]][]) {
    it(`takes as ${name} what the program takes, for its own source alone`, () => {
      const check = ofSource(RED, $, name);
      for (const entered of entries) {
        const isRight = takes(() => use(entered));
        assert.equal(check.call({ source }, entered), isRight, entered);
        assert.equal(check.call({ source: 'bundled' }, entered), true);
        if (!isRight) assert.match(String(check.call({ source }, entered, {})), /m2fp-model\.invalid\.\w+$/);
      }
    });
  }

  it('says what is wrong: a password has a field of its own', () => {
    const verdict = ofSource(RED, $, 'redis').call({ source: 'remote' }, 'redis://:x@a', {});
    assert.match(String(verdict), /invalid\.secret$/);
    assert.match(String(ofSource(RED, $, 'folder').call({ source: 'folder' }, ' ', {})), /invalid\.folder$/);
  });

  it('has a name for what has none', () => {
    const label = (node: object): string => modelLabel(RED, node as EditorNode);
    assert.equal(label({ name: 'mine', source: 'remote' }), 'mine');
    assert.equal(
      label({ source: 'remote', redis: 'redis://10.0.0.5:6379/1', queue: '' }),
      'm2fp @ 10.0.0.5:6379',
    );
    assert.equal(label({ source: 'remote', redis: 'redis://me:x@host', queue: 'b' }), 'b @ host');
    assert.equal(label({ source: 'modelscope', modelId: ID }), ID);
    assert.equal(label({ source: 'folder', folder: '/m' }), '/m');
    assert.match(label({ source: 'bundled' }), /source\.bundled$/);
  });
});
