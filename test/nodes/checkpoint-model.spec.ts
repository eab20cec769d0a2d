/** The nodes with a checkpoint in the folder field: it is converted into the store when it is first needed. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { services } from '../../nodes/common/services.ts';
import type { ModelFacts } from '../../nodes/common/model-facts.ts';
import type { ModelNode } from '../../nodes/common/model.ts';
import { descriptionOf } from '../../nodes/m2fp-model/about.ts';
import type { ModelConfig } from '../../nodes/m2fp-model/config.ts';
import { readSettings } from '../../nodes/m2fp-model/settings.ts';
import { shutdownEngines } from '../../src/engine/index.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { convertLocal } from '../../src/store/local.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import { openStore } from '../../src/store/store.ts';
import { goldenFolder } from '../support/golden.ts';
import { fakeEngines, restoreEngines } from './support/fake-engine.ts';
import { nodeConfig } from './support/flows.ts';
import {
  deploy,
  type Events,
  nodeOf,
  redApi,
  send,
  startFlow,
  stopFlow,
  useSettings,
} from './support/red.ts';

describe('the nodes with a checkpoint on this machine', function () {
  this.timeout(60_000);
  let folder: string;
  let store: string;
  let file: string;
  let image: Buffer;

  const model = (properties = {}, id = 'model') =>
    nodeConfig('m2fp-model', id, { source: 'folder', folder: file, threads: 1, ...properties });
  const infer = (properties = {}, id = 'node') =>
    nodeConfig('m2fp-infer', id, { model: 'model', ...properties });
  const load = (properties = {}) =>
    nodeConfig('m2fp-load', 'node', { model: 'model', wires: [['out'], ['out2']], ...properties });
  const text = (events: Events, pattern: RegExp): Promise<void> =>
    events.until(() => events.statuses.some((status) => pattern.test(status.text ?? '')));

  before(async () => {
    image = await sharp({ create: { width: 96, height: 64, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-checkpoint-'));
    store = join(folder, 'store');
    file = join(folder, 'model_final.pth');
    cpSync(join(goldenFolder('multi'), 'pytorch_model.pt'), file);
    useSettings({ m2fpModelStore: store });
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
    useSettings({});
    rmSync(folder, { recursive: true });
  });

  it('convert and run it for the first picture, and show how far that has come', async () => {
    const events = await startFlow([model(), infer()]);
    try {
      await text(events, /status\.unconverted$/);
      assert.equal(existsSync(store), false, 'nobody needs it yet');
      send({ payload: image, m2fp: { shortSide: 64 } });
      await text(events, /^converting/);
      await events.ended();
      assert.deepEqual(events.caught, []);
      assert.equal((events.sent[0]!['parsing'] as Parsing).model.id, 'local/model_final.pth');
      const [entry] = await openStore(store).list();
      assert.deepEqual([entry?.id, entry?.problem], ['local/model_final.pth', null]);
    } finally {
      await stopFlow();
      await shutdownEngines();
    }
  });

  it('blame no message where there are no pictures to make it int8 with', async () => {
    const pictures = join(folder, 'empty');
    mkdirSync(pictures);
    const events = await startFlow([model({ precision: 'int8', pictures }), infer()]);
    send({ payload: image });
    await events.ended();
    const { error, statusCode, payload } = events.caught[0]!;
    assert.deepEqual([error.code, statusCode, payload], ['M2FP_MODEL_NOT_FOUND', 503, image]);
    assert.match(
      error.message,
      /int8 model .* cannot be made\. .*empty holds no pictures: put 32 or more there/,
    );
    await text(events, /error\.M2FP_MODEL_NOT_FOUND$/);
    assert.equal(events.caught.length, 1);
  });

  describe('and an engine without a process', () => {
    let conversions: number;
    let acquired: { model: string }[];

    beforeEach(() => {
      const readManifest = services.readManifest.bind(services);
      ({ acquired } = fakeEngines());
      services.readManifest = readManifest;
      conversions = 0;
      // In this process, which is quicker.
      services.convert = (checkpoint, options) => {
        conversions++;
        return convertLocal(checkpoint, { ...options, tools: { convert: convertCheckpoint } });
      };
    });

    it('take an unconverted folder from ModelScope, in half the precision where that is chosen', async () => {
      const events = await startFlow([model({ folder: goldenFolder('single'), precision: 'fp16' }), infer()]);
      send({ payload: image });
      await events.ended();
      assert.deepEqual(events.caught, []);
      const manifest = await (nodeOf('model') as ModelNode).manifest();
      assert.deepEqual([manifest.id, manifest.kind, manifest.precision], ['local/single', 'single', 'fp16']);
      assert.match(acquired[0]!.model, /local[\\/]single[\\/][0-9a-f]{16}\+fp16$/);
    });

    it('convert it once, and anew where it is another one at the next deploy', async () => {
      const events = await startFlow([
        model(),
        model({ name: 'same' }, 'second'),
        infer(),
        infer({ model: 'second', wires: [['out']] }, 'other'),
      ]);
      send({ payload: image });
      nodeOf('other').receive({ payload: image });
      await events.ended(2);
      assert.deepEqual(events.caught, []);
      assert.equal((await openStore(store).list()).length, 1);

      const before = acquired.length;
      cpSync(join(goldenFolder('single'), 'pytorch_model.pt'), file);
      const after = await deploy([model({ name: 'again' }), infer()]);
      send({ payload: image });
      await after.ended();
      assert.deepEqual(after.caught, []);
      assert.equal((await openStore(store).list()).length, 2);
      assert.notEqual(acquired[before]!.model, acquired[0]!.model);
    });

    it('end their messages in what is wrong with it', async () => {
      truncateSync(file, 100_000);
      const events = await startFlow([model(), infer()]);
      send({ payload: image });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_CHECKPOINT_INVALID');
      await text(events, /error\.M2FP_CHECKPOINT_INVALID$/);
      assert.equal(existsSync(store), false);
    });

    it('take a converted model as it is, and say where there is none', async () => {
      const converted = join(folder, 'converted');
      await convertCheckpoint({ source: file, out: converted });
      const events = await startFlow([model({ folder: converted }), infer()]);
      send({ payload: image });
      await events.ended();
      assert.equal(acquired[0]!.model, converted);
      assert.equal(conversions, 0);

      const first = nodeConfig('m2fp-preprocess', 'node', { model: 'model' });
      const none = await deploy([model({ folder: join(folder, 'nowhere.pth') }), first]);
      send({ payload: image });
      await none.ended();
      assert.equal(none.caught[0]!.error.code, 'M2FP_MODEL_NOT_FOUND');
    });

    it('are told by a load node what it is, and how far it has come', async () => {
      const events = await startFlow([model(), load()]);
      send({ payload: { action: 'info' } });
      await events.ended();
      const told = events.sent[0]!.payload as ModelFacts;
      assert.deepEqual(
        [told.id, told.revision, told.source, told.state, told.size, told.precision],
        ['local/model_final.pth', null, 'folder', 'not converted', 0, 'fp32'],
      );
      assert.equal(conversions, 0);
      send({});
      await events.ended(2);
      assert.deepEqual(events.caught, []);
      const progress = events.sentOnSecondWire.map(({ payload }) => payload as PullProgress);
      assert.deepEqual([progress.at(-1)?.phase, progress.at(-1)?.share], ['convert', 1]);
      const after = events.sent[1]!.payload as ModelFacts;
      assert.equal(after.folder, told.folder);
      assert.ok(existsSync(join(after.folder!, 'm2fp.json')));
    });

    it('stop the conversion in a deploy', async () => {
      let aborted = false;
      let begun = (): void => {};
      const running = new Promise<void>((resolve) => (begun = resolve));
      services.convert = (checkpoint, options) =>
        convertLocal(checkpoint, {
          ...options,
          tools: {
            convert: ({ signal }) =>
              new Promise((_resolve, reject) => {
                begun();
                signal?.addEventListener('abort', () => {
                  aborted = true;
                  reject(new Error('killed'));
                });
              }),
          },
        });
      const events = await startFlow([model(), infer()]);
      send({ payload: image });
      await running;
      await deploy([model(), infer({ name: 'changed' })]);
      assert.equal(aborted, true);
      assert.deepEqual(
        events.done.map(({ code }) => code),
        ['M2FP_CANCELLED'],
      );
      assert.equal(existsSync(store), false);
    });

    it('warn once of all that is wrong with the model that came', async () => {
      services.convert = async (checkpoint) => {
        const made = await convertLocal(checkpoint, { tools: { convert: convertCheckpoint } });
        return { ...made, warnings: ['a.png was left out', 'b.png was left out'] };
      };
      await startFlow([model(), infer()]);
      const node = nodeOf('model') as ModelNode;
      await node.present();
      // The helper's spy.
      const spied = node as unknown as { warn: { args: unknown[][] } };
      assert.deepEqual(spied.warn.args, [['a.png was left out\nb.png was left out']]);
    });

    it('tell the form of it before and after', async () => {
      await startFlow([model(), infer()]);
      const node = nodeOf('model') as ModelNode;
      const settings = readSettings(redApi(), node, model() as unknown as ModelConfig);
      const before = await descriptionOf(settings);
      assert.deepEqual([before.id, before.present, before.size], ['local/model_final.pth', false, null]);
      await node.present();
      const after = await descriptionOf(settings);
      assert.deepEqual([after.id, after.present, after.kind], ['local/model_final.pth', true, 'multi']);
    });
  });
});
