import assert from 'node:assert/strict';
import { join } from 'node:path';
import { checkName, localId, modelFolder, modelKey, parseFolder } from '../../src/store/names.ts';

const ID = 'iic/cv_resnet101_image-multiple-human-parsing';
const name = (id: string, revision = 'master', precision: 'fp32' | 'fp16' = 'fp32') => ({
  id,
  revision,
  precision,
});

describe('the names of published models', () => {
  for (const [id, revision] of [
    [ID, 'master'],
    [ID, 'v1.0.1'],
    ['iic/M2FP_b', '3f2a9c0'],
    ['a/b', '_x-'],
  ] as const) {
    for (const precision of ['fp32', 'fp16'] as const) {
      it(`takes ${id} ${revision} ${precision}, and finds it again by its folder`, () => {
        const checked = checkName(name(id, revision, precision));
        const [owner, model, folder] = modelFolder('/', checked).split(/[\\/]/).slice(-3);
        assert.deepEqual(parseFolder(owner!, model!, folder!), checked);
      });
    }
  }

  it('puts variants beside each other', () => {
    assert.equal(modelFolder('root', name(ID)), join('root', ...ID.split('/'), 'master'));
    assert.equal(modelFolder('root', name(ID, 'v1', 'fp16')), join('root', ...ID.split('/'), 'v1+fp16'));
    assert.notEqual(modelKey(name('a/b')), modelKey(name('a/b', 'master', 'fp16')));
  });

  for (const id of [
    '',
    'damo',
    'damo/',
    '/damo/model',
    'damo/a/b',
    '../model',
    'damo/..',
    'damo/../../etc',
    'damo/a..b',
    '.partial/model',
    'damo/.hidden',
    'damo\\model/x',
    'damo/C:',
    'damo/model.',
    'damo/model ',
    'damo/mo del',
    'damo/m\0',
    'damo/con',
    'damo/NUL.txt',
    'COM1/model',
    'damo/x+fp16',
    'damo/-x',
    'damo/%2e%2e',
    'damo/模型',
    `damo/${'x'.repeat(200)}`,
  ]) {
    it(`refuses the id ${JSON.stringify(id)}`, () => {
      assert.throws(() => checkName(name(id)), { code: 'M2FP_BAD_OPTION', message: /is no model id/ });
    });
  }

  for (const revision of ['', '.', '..', '../x', 'a/b', 'master+fp16', '.git', 'aux', 'v1.', 'a?b', '-rf']) {
    it(`refuses the revision ${JSON.stringify(revision)}`, () => {
      assert.throws(() => checkName(name(ID, revision)), { code: 'M2FP_BAD_OPTION', message: /no revision/ });
    });
  }

  for (const wrong of [undefined, null, 7, {}, ['a', 'b']]) {
    it(`refuses ${JSON.stringify(wrong)}, which is not even text`, () => {
      assert.throws(() => checkName(name(wrong as string)), { code: 'M2FP_BAD_OPTION' });
      assert.throws(() => checkName({ ...name(ID), revision: wrong as string }), { code: 'M2FP_BAD_OPTION' });
    });
  }

  it('knows the folder of each precision', () => {
    for (const [folder, precision] of [
      ['master', 'fp32'],
      ['master+fp16', 'fp16'],
      ['master+int8', 'int8'],
    ]) {
      assert.deepEqual(parseFolder('damo', 'model', folder!), {
        id: 'damo/model',
        revision: 'master',
        precision,
      });
    }
  });

  for (const folder of ['master+int4', 'master+fp32', 'master+fp16+x', '+fp16', 'a b']) {
    it(`leaves ${folder} alone, which is foreign`, () => {
      assert.equal(parseFolder('damo', 'model', folder), undefined);
    });
  }
});

describe('the ids of what lies on this machine', () => {
  const long = 'epoch=100-step=123456-val_loss=0.12345678-mean_intersection_over_union=0.';
  const signs = '🙂 🚀 模型🙂 模型🚀 ??? *** nul con.pt 。 ！ .. x a-b a\u200cb a\u202eb'.split(' ');
  const letters = '模型一 模型二 модель مدل modèle modele'.split(' ');
  const names = [
    ...letters,
    ...signs,
    `${long}81.pth`,
    `${long}82.pth`,
    `${'模'.repeat(80)}一`,
    `${'模'.repeat(80)}二`,
    '𠮷'.repeat(70),
  ];

  it('are all different, can be the name of a folder and of a lock, and are found again by it', () => {
    const ids = names.map(localId);
    assert.equal(new Set(ids).size, names.length, ids.join('\n'));
    for (const id of ids) {
      const local = checkName({ id, revision: '0123456789abcdef', precision: 'int8' });
      const [owner, model, folder] = modelFolder('/', local).split(/[\\/]/).slice(-3);
      assert.deepEqual(parseFolder(owner!, model!, folder!), local);
      assert.ok(Buffer.byteLength(`${modelKey(local)}.lock`) < 200, id);
      assert.doesNotThrow(() => encodeURIComponent(id), id);
    }
  });

  it('are readable, and the same for both ways to write an accent', () => {
    assert.equal(localId('模型一'), 'local/模型一');
    assert.equal(localId('model final.pth'), 'local/model-final.pth');
    assert.equal(localId('mode\u0300le'), localId('mod\u00e8le'));
    assert.match(localId('模型🙂'), /^local\/模型-[0-9a-f]{8}$/);
    assert.match(
      localId(`${long}81.pth`),
      /^local\/epoch-100-step-123456-val_loss-0\.12345678-.*-[0-9a-f]{8}$/,
    );
  });

  it('are of this machine alone: published ones are Latin, and neither has signs that turn a line round', () => {
    for (const id of [
      'iic/模型',
      '模型/x',
      'local/a\u202eb',
      'local/模 型',
      'local/..',
      'local/模.',
      'local/a/b',
    ])
      assert.throws(() => checkName(name(id)), { code: 'M2FP_BAD_OPTION' }, id);
  });
});
