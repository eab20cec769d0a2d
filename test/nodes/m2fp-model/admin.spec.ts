import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { NodeAPI } from 'node-red';
import type { ModelNode } from '../../../nodes/common/model.ts';
import { services } from '../../../nodes/common/services.ts';
import type { DeployedFacts } from '../../../nodes/form/about-answers.ts';
import type { LabelsAnswer } from '../../../nodes/form/label-sets.ts';
import type { ModelDescription } from '../../../nodes/m2fp-model/about.ts';
import type { CheckResult } from '../../../nodes/m2fp-model/check.ts';
import { beginning } from '../../../nodes/common/form-fields.ts';
import { FIELDS } from '../../../nodes/m2fp-model/config.ts';
import { serveAdmin } from '../../../nodes/m2fp-model/admin.ts';
import { M2fpError } from '../../../src/errors.ts';
import { bundled } from '../../support/bundled.ts';
import { type FakeEngine, fakeEngines, MANIFEST, restoreEngines } from '../support/fake-engine.ts';
import { adminServer } from '../support/admin-server.ts';
import { nodeConfig } from '../support/flows.ts';
import { nodeOf, redApi, startFlow, stopFlow } from '../support/red.ts';

const PUBLISHED = 'iic/cv_resnet101_image-single-human-parsing';

describe('the admin routes of m2fp-model', () => {
  let engine: FakeEngine;
  const admin = adminServer();
  let pulls: number;

  const model = (id: string, properties = {}) => nodeConfig('m2fp-model', id, properties);
  const start = async (): Promise<void> => {
    await startFlow([
      model('model', { name: 'mine' }),
      model('absent', { source: 'modelscope', modelId: PUBLISHED }),
      model('broken', { source: 'folder', folder: '' }),
      nodeConfig('m2fp-infer', 'node', { model: 'model' }),
    ]);
    await admin.open();
  };
  const { ask } = admin;

  beforeEach(async () => {
    ({ engine } = fakeEngines());
    services.isPulled = () => Promise.resolve(false);
    pulls = 0;
    services.pull = () => {
      pulls++;
      return Promise.reject(new M2fpError('M2FP_DOWNLOAD_FAILED', 'no network'));
    };
    await start();
  });
  afterEach(async () => {
    engine.letGo();
    admin.close();
    await stopFlow();
    restoreEngines();
  });

  it('are there once, however often the module runs', () => {
    const before = routesOf(redApi().httpAdmin);
    assert.equal(
      before.filter((path) => /^\/m2fp\/(labels|models|downloads|int8-speed)/.test(path)).length,
      8,
    );
    serveAdmin(redApi());
    assert.deepEqual(routesOf(redApi().httpAdmin), before);
  });

  it('ask for the permission to read flows, or to use models', () => {
    const served: string[][] = [];
    const RED = {
      auth: { needsPermission: (permission: string) => permission },
      settings: {},
      httpAdmin: {
        get: (path: string, [permission]: string[]) => served.push(['GET', path, permission!]),
        post: (path: string, [permission]: string[]) => served.push(['POST', path, permission!]),
      },
    };
    serveAdmin(RED as unknown as NodeAPI);
    assert.deepEqual(served, [
      ['GET', '/m2fp/labels', 'flows.read'],
      ['GET', '/m2fp/models/:id', 'flows.read'],
      ['POST', '/m2fp/models/estimate', 'm2fp-model.write'],
      ['POST', '/m2fp/downloads', 'm2fp-model.write'],
      ['GET', '/m2fp/downloads/:id', 'flows.read'],
      ['POST', '/m2fp/downloads/:id/cancel', 'm2fp-model.write'],
      ['POST', '/m2fp/int8-speed', 'm2fp-model.write'],
      ['POST', '/m2fp/models/:id/check', 'm2fp-model.write'],
    ]);
  });

  for (const [name, permissions, allowed] of [
    ['none', [], []],
    ['read', ['read'], ['GET']],
    ['read and m2fp-model.write', ['read', 'm2fp-model.write'], ['GET', 'POST']],
    ['all', ['*'], ['GET', 'POST']],
  ] as [string, string[], string[]][]) {
    it(`answer ${allowed.join(' and ') || 'nothing'} to who has the permission: ${name}`, () => {
      const { hasPermission } = createRequire(createRequire(import.meta.url).resolve('node-red'))(
        '@node-red/editor-api/lib/auth/permissions.js',
      ) as { hasPermission: (has: string[], wanted: string) => boolean };
      let routes = 0;
      const check =
        (method: string) =>
        (path: string, [permission]: string[]): void => {
          routes++;
          assert.equal(
            hasPermission(permissions, permission!),
            allowed.includes(method),
            `${method} ${path}`,
          );
        };
      const RED = {
        auth: { needsPermission: (permission: string) => permission },
        settings: {},
        httpAdmin: { get: check('GET'), post: check('POST') },
      };
      serveAdmin(RED as unknown as NodeAPI);
      assert.equal(routes, 8);
    });
  }

  describe('GET labels', () => {
    it('gives the label sets, and the labels of the models that are there, with colours and groups', async () => {
      const { status, body } = await ask<LabelsAnswer>('labels');
      assert.equal(status, 200);
      assert.deepEqual(
        body.sets.map(({ id, name, parts }) => [id, name, parts.length]),
        [
          ['cihp', 'CIHP', 21],
          ['lip', 'LIP', 20],
          ['mhp-v2', 'MHP-v2', 60],
          ['pascal-person-part', 'Pascal-Person-Part', 8],
        ],
      );
      assert.deepEqual(body.sets[0]!.parts[2], { name: 'Hair', color: '#8b5a2b', group: 'head' });
      for (const { parts } of body.sets) {
        for (const { name, color, group } of parts) {
          assert.match(color, /^#[0-9a-f]{6}$/);
          assert.equal(group === 'whole', name === 'Background' || name === 'Human', name);
          assert.notEqual(group, 'other', name);
        }
      }
      const parts = body.models.find(({ id }) => id === 'model')!.parts!;
      assert.deepEqual(
        parts.map(({ name, group }) => [name, group]),
        [
          ['Background', 'whole'],
          ['Hair', 'head'],
          ['Coat', 'upperBody'],
          ['Human', 'whole'],
        ],
      );
      assert.deepEqual(
        body.models.filter(({ parts: known }) => known === null).map(({ id }) => id),
        ['absent', 'broken'],
      );
      assert.equal(pulls, 0);
    });
  });

  describe('GET models/:id', () => {
    it('tells the facts of a deployed model, and loads nothing', async () => {
      const { status, body } = await ask<DeployedFacts>('models/model');
      assert.equal(status, 200);
      const { id, labels, digest, state, size, progress, licence } = body;
      assert.deepEqual(
        [id, labels, digest, state, size, progress, licence],
        ['fake', MANIFEST.labels, 'f00d', 'idle', 1100, null, 'Apache-2.0, as this package'],
      );
      assert.deepEqual(engine.actions, []);
    });

    it('tells that a published model is not there, and pulls nothing', async () => {
      const { status, body } = await ask<DeployedFacts>('models/absent');
      assert.deepEqual([status, body.id, body.state, body.labels], [200, PUBLISHED, 'not pulled', []]);
      assert.equal(pulls, 0);
    });

    it('says what is wrong with a model', async () => {
      const { status, body } = await ask<{ code: string; message: string }>('models/broken');
      assert.deepEqual([status, body.code], [503, 'M2FP_MODEL_NOT_FOUND']);
      assert.match(body.message, /folder/);
    });

    for (const id of ['nobody', 'node', 'tab', '..%2F..']) {
      it(`knows no model ${id}`, async () => {
        assert.equal((await ask(`models/${id}`)).status, 404);
        assert.equal((await ask(`models/${id}/check`, 'POST')).status, 404);
      });
    }
  });

  describe('POST models/:id/check', () => {
    it('loads the model and times the sample picture, the second run of it', async () => {
      const { status, body } = await ask<CheckResult>('models/model/check', 'POST');
      assert.equal(status, 200);
      assert.deepEqual(engine.actions, ['load']);
      assert.equal(engine.requests.length, 2);
      const [first, second] = engine.requests.map(({ image }) => image as Buffer);
      assert.ok(!first!.equals(second!), 'a cache would answer the second');
      const { load, seconds, persons, parts, threads, processes, provider, memory } = body;
      assert.deepEqual(
        [load, seconds, persons, parts, threads, processes, provider, memory],
        [0.5, 1.234, 2, 4, 2, 1, 'cpu', null],
      );
      assert.deepEqual(body.int8, await services.int8Speed());
    });

    it('runs once where the model is loaded already', async () => {
      await (await (nodeOf('model') as ModelNode).engine()).load();
      const { body } = await ask<CheckResult>('models/model/check', 'POST');
      assert.equal(body.load, null);
      assert.equal(engine.requests.length, 1);
    });

    it('does without what int8 brings where that cannot be measured, and tells why who asks for it alone', async () => {
      services.int8Speed = () => Promise.reject(new M2fpError('M2FP_TIMEOUT', 'too busy'));
      const { status, body } = await ask<CheckResult>('models/model/check', 'POST');
      assert.deepEqual([status, body.int8], [200, null]);
      const alone = await ask('int8-speed', 'POST');
      assert.deepEqual([alone.status, alone.body], [504, { code: 'M2FP_TIMEOUT', message: 'too busy' }]);
    });

    it('gives the running check to who asks meanwhile', async () => {
      engine.held = true;
      const answers = [ask('models/model/check', 'POST'), ask('models/model/check', 'POST')];
      await engine.requested();
      engine.letGo();
      const [one, two] = await Promise.all(answers);
      assert.deepEqual(one, two);
      assert.equal(engine.requests.length, 2);
    });

    it('says why the model does not work', async () => {
      engine.failure = new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'no binary');
      const { status, body } = await ask('models/model/check', 'POST');
      assert.deepEqual([status, body], [503, { code: 'M2FP_ENGINE_UNAVAILABLE', message: 'no binary' }]);
    });

    it('ends when the model is stopped', async () => {
      engine.held = true;
      const answer = ask<{ message: string }>('models/model/check', 'POST');
      await engine.requested();
      await stopFlow();
      assert.notEqual((await answer).status, 200);
    });
  });

  describe('POST models/estimate', () => {
    const estimate = (form: object) =>
      ask<ModelDescription & { code?: string }>('models/estimate', 'POST', form);

    it('tells what a form means that is not deployed, and loads nothing', async () => {
      restoreEngines();
      const form = { ...model('new', { shortSide: '320', processes: 2, threads: 1 }) };
      const { status, body } = await estimate(form);
      assert.equal(status, 200);
      const { id, present, labels, input, size } = body;
      assert.deepEqual([id, present, labels?.length], ['m2fp-demo', true, 21]);
      assert.deepEqual(input, { ...bundled.input, shortSide: 320 });
      assert.ok(size! > 7e6);
      assert.deepEqual([body.estimate?.processes, body.estimate?.threads], [2, 1]);
      const larger = await estimate({ ...form, shortSide: '640', longSide: '960' });
      assert.ok(larger.body.estimate!.memory > body.estimate!.memory);
      assert.ok(larger.body.estimate!.seconds > body.estimate!.seconds);
      assert.deepEqual(engine.actions, []);
    });

    it('knows the published models before their download', async () => {
      const { body } = await estimate(model('new', { source: 'modelscope', modelId: PUBLISHED }));
      const { id, present, kind, labels, size, estimate: expected } = body;
      assert.deepEqual([id, present, kind, labels?.length, size], [PUBLISHED, false, 'single', 20, null]);
      assert.ok(expected!.memory > 0.4e9);
      const other = await estimate(model('new', { source: 'modelscope', modelId: 'me/mine' }));
      assert.deepEqual([other.body.labels, other.body.estimate], [null, null]);
    });

    it('tells a model from others of another id, revision, weights, server or folder', async () => {
      const published = { source: 'modelscope', modelId: PUBLISHED };
      const forms = [
        published,
        { ...published, modelId: 'me/mine' },
        { ...published, revision: 'v1.0.1' },
        { ...published, precision: 'fp16' },
        { ...published, baseUrl: 'https://mirror.example' },
        { source: 'bundled' },
      ];
      const absent = (await ask<DeployedFacts>('models/absent')).body.choice;
      const usable = (await ask<DeployedFacts>('models/model')).body.choice;
      restoreEngines();
      const choices = await Promise.all(
        forms.map(async (form) => (await estimate(model('new', form))).body.choice),
      );
      assert.equal(new Set(choices).size, forms.length);
      // How many threads it runs with makes no other model, nor does what a blank field stands for.
      const same = { ...published, threads: 3, revision: 'master', baseUrl: 'https://modelscope.cn/' };
      assert.equal((await estimate(model('new', same))).body.choice, choices[0]);
      assert.deepEqual([absent, usable], [choices[0], choices[5]]);
    });

    for (const [form, code] of [
      [{ source: 'folder', folder: '/nowhere/to/be/found' }, 'M2FP_MODEL_NOT_FOUND'],
      [{ source: 'folder', folder: '${M2FP_NO_SUCH_VARIABLE}' }, 'M2FP_MODEL_NOT_FOUND'],
      [{ source: 'modelscope', modelId: '../..' }, 'M2FP_BAD_OPTION'],
      [{ threads: 'many' }, 'M2FP_BAD_OPTION'],
    ] as const) {
      it(`says what is wrong with the form: ${JSON.stringify(form)}`, async () => {
        restoreEngines();
        const { status, body } = await estimate(model('new', form));
        assert.equal(body.code, code);
        assert.ok(status >= 400);
      });
    }

    it('names the field that is of another type, whatever it is', async () => {
      restoreEngines();
      const { id: _id, type: _type, ...fields } = model('new');
      const names = [...Object.keys(beginning(FIELDS)), ...Object.keys(fields)];
      for (const source of ['bundled', 'folder', 'modelscope', 'remote']) {
        for (const name of new Set(names)) {
          for (const value of [{ a: 1 }, [], ['x'], { trim: 1 }, true, 5]) {
            const usual = (beginning(FIELDS) as Record<string, unknown>)[name];
            const form = { source, folder: '/nowhere', redis: 'redis://127.0.0.1:1', [name]: value };
            if (usual === undefined || name === 'source') continue;
            const isNumber =
              typeof usual === 'number' || ['shortSide', 'longSide', 'maxMemory'].includes(name);
            if (isNumber && typeof value === 'number') continue;
            if (typeof usual === typeof value && typeof value !== 'string') continue;
            const { status, body } = await estimate(form);
            const { code, message } = body as unknown as { code: string; message: string };
            assert.deepEqual(
              [status, code],
              [400, 'M2FP_BAD_OPTION'],
              `${name}: ${JSON.stringify(value)}: ${message}`,
            );
            assert.ok(message.startsWith(`Option "${name}" is `), message);
          }
        }
      }
    });

    it('takes credentials that are null for none', async () => {
      restoreEngines();
      assert.equal((await estimate({ source: 'bundled', credentials: null })).status, 200);
    });

    for (const credentials of [
      5,
      'x',
      [],
      { redisUsername: 5 },
      { redisPassword: {} },
      { redisPassword: ['x'] },
    ]) {
      it(`names credentials of another type: ${JSON.stringify(credentials)}`, async () => {
        restoreEngines();
        const { status, body } = await estimate({ source: 'bundled', credentials });
        assert.equal(status, 400);
        assert.match(
          (body as unknown as { message: string }).message,
          /^(credentials|redisUsername|redisPassword) must be /,
        );
      });
    }

    it('fails inside for no value of the right type', async () => {
      restoreEngines();
      // Those that are no choice are refused, or mean the default.
      for (const name of Object.keys(beginning(FIELDS))) {
        for (const value of ['\0', '../..', '${', 'x'.repeat(5000), '-1', '1e999', 'NaN']) {
          for (const source of ['bundled', 'folder', 'modelscope']) {
            const { status } = await estimate({ source, folder: '/nowhere', [name]: value });
            assert.notEqual(status, 500, `${name}: ${value.slice(0, 20)}`);
          }
        }
      }
    });

    for (const body of [undefined, {}, [], { source: 3 }]) {
      it(`takes no other body: ${JSON.stringify(body)}`, async () => {
        assert.equal((await ask('models/estimate', 'POST', body)).status, 400);
      });
    }
  });
});

/** The paths that an Express application serves. */
function routesOf(app: object): string[] {
  const { stack } = (app as { _router: { stack: { route?: { path: string } }[] } })._router;
  return stack.flatMap(({ route }) => (route ? [route.path] : []));
}
