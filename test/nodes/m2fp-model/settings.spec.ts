import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { type LocalSettings, readSettings, type RemoteSettings } from '../../../nodes/m2fp-model/settings.ts';
import type { ModelConfig } from '../../../nodes/m2fp-model/config.ts';
import type { RedisCredentials } from '../../../nodes/common/model.ts';
import type { M2fpError } from '../../../src/errors.ts';
import { completeEngineOptions } from '../../../src/engine/options.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { nodeConfig } from '../support/flows.ts';

describe('readSettings', () => {
  const env: Record<string, string> = {
    MODELS: '/srv/models',
    MIRROR: 'mirror.lan:8080',
    EMPTY: '',
    REDIS: 'redis.lan',
    SITE: 'hall-2',
    SECRET: 'hunter2',
    REDIS_URL: 'redis://me:hunter2@redis.lan',
  };
  const userDir = resolve('/home/me/.node-red');

  const readAny = (
    properties: Partial<ModelConfig>,
    settings: object = { userDir },
    credentials?: RedisCredentials,
  ) => {
    const RED = { settings, util: { getSetting: (_node: Node, name: string) => env[name] } };
    const config = nodeConfig('m2fp-model', 'model', { ...properties }) as unknown as ModelConfig;
    return readSettings(RED as unknown as NodeAPI, {} as Node, config, credentials);
  };
  const read = (properties: Partial<ModelConfig>, settings?: object) =>
    readAny(properties, settings) as LocalSettings;

  it('gives the bundled model on all cores with what the form begins with', () => {
    assert.deepEqual(read({}), {
      source: 'bundled',
      engine: completeEngineOptions({ model: bundledModelFolder() }),
      parse: {},
    });
  });

  describe('of a published model', () => {
    const ID = 'iic/cv_resnet101_image-multiple-human-parsing';
    const store = join(userDir, 'm2fp', 'models');

    it('take what the form begins with, and the same where the node is older than the fields', () => {
      const { published, engine, source } = read({ source: 'modelscope' });
      assert.equal(source, 'modelscope');
      assert.deepEqual(published, {
        id: ID,
        revision: 'master',
        precision: 'fp32',
        baseUrl: 'https://modelscope.cn',
        root: store,
      });
      assert.equal(engine.model, join(store, ...ID.split('/'), 'master'));
      const none = { modelId: undefined, revision: undefined, precision: undefined, baseUrl: undefined };
      assert.deepEqual(read({ source: 'modelscope', ...none }).published, published);
      assert.deepEqual(
        read({ source: 'modelscope', revision: ' ', precision: '' as 'fp32' }).published,
        published,
      );
    });

    it('take the id, the revision, the precision and the server of the form', () => {
      const { published, engine } = read({
        source: 'modelscope',
        modelId: ' me/mine ',
        revision: 'v1.0',
        precision: 'fp16',
        baseUrl: 'http://${MIRROR}/hub',
      });
      assert.deepEqual(published, {
        id: 'me/mine',
        revision: 'v1.0',
        precision: 'fp16',
        baseUrl: 'http://mirror.lan:8080/hub',
        root: store,
      });
      assert.equal(engine.model, join(store, 'me', 'mine', 'v1.0+fp16'));
    });

    for (const [setting, root] of [
      ['', store],
      ['/srv/store', resolve('/srv/store')],
      ['weights', join(userDir, 'weights')],
    ] as const) {
      it(`lie in ${root} where m2fpModelStore is "${setting}"`, () => {
        const settings = { userDir, m2fpModelStore: setting };
        assert.equal(read({ source: 'modelscope' }, settings).published?.root, root);
      });
    }

    it('refuse a store that is no folder', () => {
      assert.throws(() => read({ source: 'modelscope' }, { userDir, m2fpModelStore: 3 }), {
        code: 'M2FP_BAD_OPTION',
        message: /m2fpModelStore/,
      });
    });

    it('are not asked for another source', () => {
      assert.equal(read({ source: 'bundled', modelId: '../x' }).published, undefined);
    });
  });

  describe('of workers', () => {
    const remote = (properties: Partial<ModelConfig> = {}, credentials?: RedisCredentials) =>
      readAny(
        { source: 'remote', redis: 'redis://10.0.0.7:6380/2', ...properties },
        { nodeMessageBufferMaxLength: 20 },
        credentials,
      ) as RemoteSettings;

    it('take the address, the queue and the options that hold here', () => {
      const { source, engine, parse } = remote(
        { queue: ' cams ', timeout: '5', cacheSize: '64', shortSide: '320', processes: 7, threads: 'many' },
        { redisUsername: 'me', redisPassword: 'hunter2' },
      );
      assert.equal(source, 'remote');
      assert.deepEqual(engine.address, {
        url: 'redis://10.0.0.7:6380/2',
        queue: 'cams',
        username: 'me',
        password: 'hunter2',
      });
      assert.deepEqual([engine.maxQueue, engine.timeout, engine.cacheSize], [20, 5000, 64]);
      assert.deepEqual(parse, { shortSide: 320 });
    });

    for (const properties of [{ queue: '' }, { queue: undefined }]) {
      it(`need no queue (${JSON.stringify(properties)}) and no credentials`, () => {
        const { queue, username, password } = remote(properties).engine.address;
        assert.deepEqual([queue, username, password], ['m2fp', '', '']);
      });
    }

    it('take environment variables, in credentials as a whole', () => {
      const { address } = remote(
        { redis: 'rediss://${REDIS}:6379', queue: 'm2fp-${SITE}' },
        { redisUsername: 'a${SITE}', redisPassword: '${SECRET}' },
      ).engine;
      assert.deepEqual(address, {
        url: 'rediss://redis.lan:6379',
        queue: 'm2fp-hall-2',
        username: 'a${SITE}',
        password: 'hunter2',
      });
    });

    for (const [name, properties, message] of [
      ['no address', { redis: ' ' }, /redis:\/\//],
      ['no address, in a flow of before', { redis: undefined }, /redis:\/\//],
      ['an address of the web', { redis: 'http://10.0.0.7' }, /redis:\/\//],
      ['a password in the address', { redis: 'redis://:hunter2@10.0.0.7' }, /own field/],
      ['one beside a variable', { redis: 'redis://me:hunter2@${GONE}' }, /own field/],
      ['one in a variable', { redis: '${REDIS_URL}' }, /own field/],
      ['a variable that is not set', { redis: 'redis://${GONE}' }, /GONE/],
      ['a queue of two words', { queue: 'a b' }, /queue/],
      ['a queue not set', { queue: '${GONE}' }, /GONE/],
    ] as [string, Partial<ModelConfig>, RegExp][]) {
      it(`refuse ${name}, and repeat no password`, () => {
        assert.throws(
          () => remote(properties, { redisPassword: 'hunter2' }),
          (error: M2fpError) => {
            assert.equal(error.code, 'M2FP_BAD_OPTION');
            assert.match(error.message, message);
            assert.doesNotMatch(`${error.message} ${error.stack}`, /hunter2/);
            return true;
          },
        );
      });
    }
  });

  it('takes a blank as the default, and texts as numbers', () => {
    const { engine, parse } = read({
      threads: '2',
      maxQueue: '',
      timeout: '',
      shortSide: '320',
      longSide: '',
    });
    assert.deepEqual([engine.threads, engine.maxQueue, engine.timeout], [2, 32, 60_000]);
    assert.deepEqual(parse, { shortSide: 320 });
  });

  it('takes the advanced fields, and what a node of version 1 has in their place', () => {
    const { engine } = read({
      processes: '2',
      warmUp: true,
      idleUnload: '1.5',
      maxMemory: '2048',
      cacheSize: 64,
    });
    assert.deepEqual(
      [engine.processes, engine.warmUp, engine.idleUnload, engine.maxMemory, engine.cacheSize],
      [2, true, 90_000, 2048, 64],
    );
    const none = {
      processes: undefined,
      warmUp: undefined,
      idleUnload: undefined,
      maxMemory: undefined,
      cacheSize: undefined,
    };
    assert.deepEqual(read(none), read({}));
  });

  it('takes the limits of pictures, in megapixels and MiB, also for workers on other machines', () => {
    const limits = { maxMegapixels: '12.5', maxImageSize: 2 };
    for (const settings of [
      readAny(limits),
      readAny({ ...limits, source: 'remote', redis: 'redis://broker' }),
    ]) {
      assert.deepEqual([settings.engine.maxPixels, settings.engine.maxBytes], [12_500_000, 2 * 2 ** 20]);
    }
    const { maxPixels, maxBytes } = read({ maxMegapixels: '', maxImageSize: undefined }).engine;
    assert.deepEqual([maxPixels, maxBytes], [64_000_000, 32 * 2 ** 20]);
  });

  it('takes no longer queue than Node-RED allows', () => {
    assert.equal(read({ maxQueue: 50 }, { nodeMessageBufferMaxLength: 5 }).engine.maxQueue, 5);
    assert.equal(read({ maxQueue: 3 }, { nodeMessageBufferMaxLength: 5 }).engine.maxQueue, 3);
    assert.equal(read({ maxQueue: 50 }, { nodeMessageBufferMaxLength: 0 }).engine.maxQueue, 50);
  });

  for (const [folder, path] of [
    ['/models/a', resolve('/models/a')],
    [' ${MODELS}/a ', resolve('/srv/models/a')],
    ['${MODELS}', resolve('/srv/models')],
    ['models/a', join(userDir, 'models', 'a')],
  ] as const) {
    it(`finds the folder ${folder}`, () => {
      assert.equal(read({ source: 'folder', folder }).engine.model, path);
    });
  }

  it('says how a checkpoint in the folder is converted', () => {
    const folder = { source: 'folder', folder: '/models/a.pth' } as const;
    const root = join(userDir, 'm2fp', 'models');
    assert.deepEqual(read(folder).conversion, { root, precision: 'fp32', weights: 'model' });
    assert.deepEqual(read({ ...folder, precision: 'fp16', ema: true }).conversion, {
      root,
      precision: 'fp16',
      weights: 'ema',
    });
  });

  it('says with which pictures a model becomes int8', () => {
    const int8 = { precision: 'int8', pictures: ' ${MODELS}/pictures ' } as const;
    const folder = { source: 'folder', folder: '/models/a', ...int8 } as const;
    const root = join(userDir, 'm2fp', 'models');
    const pictures = resolve('/srv/models/pictures');
    assert.deepEqual(read(folder).conversion, { root, precision: 'int8', weights: 'model', pictures });
    const { published, engine } = read({ source: 'modelscope', ...int8 });
    assert.deepEqual([published?.precision, published?.pictures], ['int8', pictures]);
    assert.match(engine.model, /\Wmaster\+int8$/);
    assert.equal(read({ ...folder, pictures: '' }).conversion?.pictures, undefined);
    assert.equal(read({ ...folder, pictures: 'of-mine' }).conversion?.pictures, join(userDir, 'of-mine'));
    // A field that the form hides says nothing.
    assert.equal(read({ ...folder, precision: 'fp32' }).conversion?.pictures, undefined);
  });

  for (const [name, properties, code, message] of [
    ['no folder', { source: 'folder', folder: '  ' }, 'M2FP_MODEL_NOT_FOUND', /no folder/],
    ['an unset variable', { source: 'folder', folder: '${GONE}/a' }, 'M2FP_MODEL_NOT_FOUND', /GONE/],
    ['an empty variable', { source: 'folder', folder: '${EMPTY}/a' }, 'M2FP_MODEL_NOT_FOUND', /EMPTY/],
    ['no model id', { source: 'modelscope', modelId: '' }, 'M2FP_BAD_OPTION', /model id/],
    ['an id that leaves the store', { source: 'modelscope', modelId: '../up' }, 'M2FP_BAD_OPTION', /id/],
    ['a revision of two', { source: 'modelscope', revision: 'a/b' }, 'M2FP_BAD_OPTION', /revision/],
    ['a server of files', { source: 'modelscope', baseUrl: 'file:///a' }, 'M2FP_BAD_OPTION', /server/],
    ['a server unset', { source: 'modelscope', baseUrl: 'http://${GONE}' }, 'M2FP_BAD_OPTION', /GONE/],
    [
      'pictures of no variable',
      { source: 'modelscope', precision: 'int8', pictures: '${GONE}/a' },
      'M2FP_NO_IMAGE',
      /folder of pictures.*GONE/,
    ],
    ['threads that are no number', { threads: 'many' }, 'M2FP_BAD_OPTION', /threads/],
    ['half a thread', { threads: 0.5 }, 'M2FP_BAD_OPTION', /threads/],
    ['a queue below 0', { maxQueue: -1 }, 'M2FP_BAD_OPTION', /maxQueue/],
    ['a time below 0', { timeout: -1 }, 'M2FP_BAD_OPTION', /timeout/],
    ['half a process', { processes: 1.5 }, 'M2FP_BAD_OPTION', /processes/],
    ['a memory below 0', { maxMemory: -1 }, 'M2FP_BAD_OPTION', /maxMemory/],
    ['a cache of words', { cacheSize: 'much' }, 'M2FP_BAD_OPTION', /cacheSize/],
    ['an idle time below 0', { idleUnload: -1 }, 'M2FP_BAD_OPTION', /idleUnload/],
    ['no pixels', { maxMegapixels: 0 }, 'M2FP_BAD_OPTION', /maxMegapixels.*0 to 500 megapixels/],
    ['a file of words', { maxImageSize: 'big' }, 'M2FP_BAD_OPTION', /maxImageSize.*"big"/],
    ['a file without end', { maxImageSize: 1e308 }, 'M2FP_BAD_OPTION', /maxImageSize.*1024 MiB/],
    [
      'a source that is none',
      { source: 'weird' as 'bundled' },
      'M2FP_BAD_OPTION',
      /source.*"weird".*bundled, modelscope, folder, remote/,
    ],
    [
      'a source of no variable',
      { source: '${GONE}' as 'bundled' },
      'M2FP_BAD_OPTION',
      /GONE.*source.*bundled, modelscope/,
    ],
    [
      'weights of another kind',
      { source: 'modelscope', precision: 'int4' as 'fp16' },
      'M2FP_BAD_OPTION',
      /precision.*fp32, fp16, int8/,
    ],
    ['a side of nothing', { shortSide: 0 }, 'M2FP_BAD_OPTION', /shortSide/],
  ] as [string, Partial<ModelConfig>, string, RegExp][]) {
    it(`refuses ${name}`, () => {
      assert.throws(() => read(properties), { code, message });
    });
  }
});
