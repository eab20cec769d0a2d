/** What the form is told of an int8 model that its values mean: whether one can be made, and what came of the last try. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DownloadStatus, FormDescription } from '../../../nodes/form/about-answers.ts';
import { convertCheckpoint } from '../../../src/store/convert.ts';
import { quantizeModel } from '../../../src/quantize/quantize.ts';
import { drawPicture } from '../../quantize/support/pictures.ts';
import { goldenFolder } from '../../support/golden.ts';
import { adminServer } from '../support/admin-server.ts';
import { nodeConfig } from '../support/flows.ts';
import { startFlow, stopFlow, useSettings } from '../support/red.ts';

describe('an int8 model in the form', function () {
  this.timeout(60_000);
  const admin = adminServer();
  let folder: string;
  const at = (name: string): string => join(folder, name);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-about-'));
    const source = goldenFolder('multi');
    const size = { shortSide: 64, longSide: 128 };
    await convertCheckpoint({ source, out: at('float'), ...size });
    await convertCheckpoint({ source, out: at('others'), operators: 'grid-sample', ...size });
    for (const name of ['pictures', 'empty']) mkdirSync(at(name));
    await drawPicture(join(at('pictures'), 'a.png'), 1);
    await quantizeModel({ model: at('float'), pictures: at('pictures'), out: at('int8'), parts: ['res5'] });
    useSettings({ m2fpModelStore: at('store') });
    await startFlow([nodeConfig('m2fp-preprocess', 'node')]);
    await admin.open();
  });
  after(async () => {
    admin.close();
    await stopFlow();
    useSettings({});
    rmSync(folder, { recursive: true });
  });

  const form = (model: string, more: object = {}) =>
    nodeConfig('m2fp-model', 'model', {
      source: 'folder',
      folder: at(model),
      precision: 'int8',
      ...more,
    });
  const description = async (model: string, more?: object): Promise<FormDescription> => {
    const { status, body } = await admin.ask<FormDescription>('models/estimate', 'POST', form(model, more));
    assert.equal(status, 200);
    return body;
  };

  for (const [model, precision, present, reason] of [
    ['float', 'int8', false, null],
    ['others', 'int8', false, 'operators'],
    ['others', 'fp16', true, null],
    ['int8', 'int8', true, 'int8'],
    ['int8', 'fp32', true, null],
  ] as const) {
    it(`of the folder ${model}, which is to be ${precision}, cannot be made for the reason: ${reason}`, async () => {
      const { present: isThere, isRemakable, notMakable } = await description(model, { precision });
      assert.deepEqual([isThere, isRemakable, notMakable], [present, false, reason]);
    });
  }

  it('that could not be made with the pictures of one folder is not blamed for those of another', async () => {
    const empty = { pictures: at('empty') };
    const { body } = await admin.ask<DownloadStatus>('downloads', 'POST', form('float', empty));
    while ((await admin.ask<DownloadStatus>(`downloads/${body.id}`)).body.state === 'running')
      await sleep(10);
    const failed = await description('float', empty);
    assert.match(failed.download?.problem?.message ?? '', /empty holds no pictures/);
    const other = await description('float', { pictures: at('pictures') });
    assert.deepEqual([other.choice, other.download], [failed.choice, null]);
  });
});
