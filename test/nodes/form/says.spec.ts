/** What Node-RED says in English is in the language of the editor in the model's form. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Node } from 'node-red';
import type { ModelConfig } from '../../../nodes/m2fp-model/config.ts';
import { readSettings } from '../../../nodes/m2fp-model/settings.ts';
import { workerTimeout } from '../../../nodes/m2fp-model/worker-timeout.ts';
import { saysIn } from '../../../nodes/form/says.ts';
import { otherModel, unanswered, unavailable } from '../../../src/engine/remote/redis/errors.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { ModelManifest } from '../../../src/m2fp/manifest.ts';
import { checkMakable } from '../../../src/quantize/makable.ts';
import { listPictures } from '../../../src/quantize/picture-files.ts';
import { Pictures } from '../../../src/quantize/pictures.ts';
import { convertCheckpoint } from '../../../src/store/convert.ts';
import { requireSpace, storeError } from '../../../src/store/disk.ts';
import { statusError } from '../../../src/store/http.ts';
import { intactManifest, readManifest } from '../../../src/store/manifest.ts';
import { ModelAddress } from '../../../src/store/modelscope.ts';
import { checkName } from '../../../src/store/names.ts';
import { retry, TransientError } from '../../../src/store/retry.ts';
import { goldenFolder } from '../../support/golden.ts';
import { FakeClock } from '../../store/support/clock.ts';
import { catalogue, editorIn } from '../support/editor-files.ts';
import { nodeConfig } from '../support/flows.ts';
import { redApi, startFlow, stopFlow } from '../support/red.ts';

const [english, chinese] = [saysIn(editorIn('en-US')), saysIn(editorIn('zh-CN'))];
const GROUP = 'm2fp-model.about.says.';
const texts = catalogue('m2fp-model', 'en-US');
const keys = Object.keys(texts).filter((key) => key.startsWith(GROUP));
const UNKNOWN = '英文原文';

/** A text with values that a message could have. */
const filled = (text: string): string =>
  text.replaceAll(/__(\w+?)__/g, (_match, name: string) =>
    name === 'code' ? 'M2FP_BAD_IMAGE' : name === 'message' ? texts[`${GROUP}ready`]! : `<${name}>`,
  );

describe('what Node-RED says of a model', () => {
  for (const key of keys) {
    it(`is shown in the language of the editor: ${key.slice(GROUP.length)}`, () => {
      const message = filled(texts[key]!);
      if (!message.includes('M2FP_')) assert.equal(english(message), message);
      const shown = chinese(message);
      const own = catalogue('m2fp-model', 'zh-CN');
      const right = filled(own[key]!)
        .replace('M2FP_BAD_IMAGE', own['m2fp-model.error.M2FP_BAD_IMAGE']!)
        .replace(texts[`${GROUP}ready`]!, own[`${GROUP}ready`]!);
      assert.equal(shown, right);
      assert.match(shown, /\p{Script=Han}/u);
      assert.doesNotMatch(shown, /__/);
    });
  }

  it('is shown as it came where no catalogue has it, with what its code means', () => {
    assert.equal(english('a $t(b) __c__', 'M2FP_ENGINE_CRASHED'), 'a $t(b) __c__');
    assert.equal(chinese('no idea', 'M2FP_ENGINE_CRASHED'), '引擎崩溃（英文原文：no idea）');
    assert.equal(chinese('no idea'), '错误（英文原文：no idea）');
  });
});

describe('what is really said of a model is known to the form', function () {
  this.timeout(60_000);
  let folder = '';
  const at = (...names: string[]): string => join(folder, ...names);
  const manifestOf = async (): Promise<ModelManifest> => readManifest(at('model'));

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-says-'));
    await convertCheckpoint({ source: goldenFolder('multi'), out: at('model') });
    for (const name of ['empty', 'below', 'below/more', 'broken', 'noJson', 'entry', 'format', 'less'])
      mkdirSync(at(name));
    for (const name of ['file', 'a.zip', 'broken/a.png']) writeFileSync(at(name), 'x');
    const manifest = await manifestOf();
    const write = (name: string, text: unknown) =>
      writeFileSync(at(name, 'm2fp.json'), typeof text === 'string' ? text : JSON.stringify(text));
    write('noJson', '{');
    write('entry', { ...manifest, labels: 7 });
    write('format', { ...manifest, format: 9 });
    write('less', manifest);
    await startFlow([nodeConfig('m2fp-preprocess', 'node')]);
  });
  after(async () => {
    await stopFlow();
    rmSync(folder, { recursive: true });
  });

  const settings = (config: Record<string, unknown>): unknown =>
    readSettings(
      redApi(),
      { id: 'model' } as Node,
      nodeConfig('m2fp-model', 'model', config) as unknown as ModelConfig,
    );
  const address = { url: 'redis://10.0.0.1:6379', queue: 'm2fp' } as Parameters<typeof unavailable>[0];
  const answered = (status: number) => ({
    status,
    headers: {},
    url: new URL('https://modelscope.cn/api'),
  });
  const thrown = (error: unknown): never => {
    throw error;
  };

  const cases: [string, () => unknown][] = [
    ['no such folder', () => readManifest(at('none'))],
    ['a file', () => readManifest(at('file'))],
    ['an archive', () => readManifest(at('a.zip'))],
    ['a folder without a model', () => readManifest(at('empty'))],
    ['a manifest that is none', () => readManifest(at('noJson'))],
    ['an entry that is wrong', () => readManifest(at('entry'))],
    ['another format', () => readManifest(at('format'))],
    ['a file that is missing', () => readManifest(at('less'))],
    [
      'a file of another size',
      () => (writeFileSync(at('less', 'model.onnx'), 'x'), readManifest(at('less'))),
    ],
    [
      'a file that was changed',
      async () => {
        const { files } = await manifestOf();
        const [name, { size }] = Object.entries(files)[0]!;
        writeFileSync(at('model', name), Buffer.alloc(size));
        await intactManifest(at('model'));
      },
    ],
    ['no folder of pictures', () => listPictures(at('none'))],
    ['a file in place of the folder of pictures', () => listPictures(at('file'))],
    ['no pictures', () => listPictures(at('empty'))],
    ['pictures in sub-folders alone', () => listPictures(at('below'))],
    [
      'no picture that can be used',
      async () => {
        const { input } = await readManifest(at('model'));
        for await (const _ of new Pictures(await listPictures(at('broken')), input).inputs());
      },
    ],
    ['int8 of int8', async () => checkMakable('/m', { ...(await manifestOf()), precision: 'int8' })],
    [
      'int8 for other engines',
      async () => checkMakable('/m', { ...(await manifestOf()), operators: 'grid-sample' }),
    ],
    ['no address', () => new ModelAddress('a/b', 'master', 'ftp://x')],
    ['no id', () => checkName({ id: 'a', revision: 'master', precision: 'fp32' })],
    ['no revision', () => checkName({ id: 'a/b', revision: 'a b', precision: 'fp32' })],
    [
      'no room',
      () =>
        requireSpace({
          root: '/s',
          free: 1,
          bytes: 1e9,
          purpose: 'to make it int8',
          code: 'M2FP_MODEL_INVALID',
        }),
    ],
    [
      'a disk that became full',
      () =>
        thrown(
          storeError('/s', 'M2FP_MODEL_INVALID', Object.assign(new Error(''), { code: 'ENOSPC' }), true),
        ),
    ],
    [
      'a store that cannot be written to',
      () =>
        thrown(
          storeError('/s', 'M2FP_MODEL_INVALID', Object.assign(new Error(''), { code: 'EROFS' }), false),
        ),
    ],
    ['no folder', () => settings({ source: 'folder', folder: '' })],
    ['a variable in the folder', () => settings({ source: 'folder', folder: '${NO_SUCH_VARIABLE}/a' })],
    [
      'a variable in the pictures',
      () => settings({ source: 'folder', folder: 'a', precision: 'int8', pictures: '${NO_SUCH_VARIABLE}/a' }),
    ],
    ['a variable of a number', () => settings({ threads: '${NO_SUCH_VARIABLE}' })],
    ['a number beyond what is allowed', () => settings({ threads: '-7' })],
    ['no worker', () => thrown(unavailable(address, null))],
    [
      'no way to workers',
      () => thrown(unavailable(address, new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'lost'))),
    ],
    [
      'workers with another model',
      async () => thrown(otherModel(address, await manifestOf(), await manifestOf())),
    ],
    ['workers that do not answer', () => thrown(unanswered(address, 5))],
    [
      'no worker in time',
      () => {
        const signal = workerTimeout(1);
        return new Promise((_resolve, reject) => {
          const keep = setInterval(() => {}, 1000);
          signal.addEventListener('abort', () => (clearInterval(keep), reject(signal.reason as Error)));
        });
      },
    ],
    ...[401, 404, 407].map((status): [string, () => unknown] => [
      `the status ${status}`,
      () => thrown(statusError(answered(status), 'The list')),
    ]),
    [
      'a server that is busy for long',
      () =>
        retry(() => Promise.reject(statusError(answered(503), 'The list')), {
          clock: new FakeClock(),
          random: () => 0,
          signal: new AbortController().signal,
        }),
    ],
    [
      'a connection that fails',
      () => thrown(new TransientError('The connection to a.b failed (read ECONNRESET)')),
    ],
  ];
  for (const [what, fail] of cases) {
    it(what, async () => {
      const error = await Promise.resolve()
        .then(fail)
        .then(
          () => undefined,
          (reason: Error) => reason,
        );
      assert.ok(error instanceof Error);
      assert.ok(!chinese(error.message).includes(UNKNOWN), error.message);
      assert.equal(english(error.message), error.message);
    });
  }
});
