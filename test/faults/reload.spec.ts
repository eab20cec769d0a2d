/** A reload or unload in the middle of pictures: every one of them, and every HTTP client, gets its answer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, rm, utimes, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { leavesNothingBehind, MANIFEST } from '../engine/support/fakes.ts';
import { writeModel } from '../engine/support/model-folder.ts';
import { nodeConfig } from '../nodes/support/flows.ts';
import { coreNode, type Events, nodeOf, redApi, startFlow } from '../nodes/support/red.ts';
import { type FakeChildren, fakeChildren, order } from './support/fake-children.ts';

describe('a reload in the middle of pictures', function () {
  this.timeout(30_000);
  let t: FakeChildren;
  let events: Events;
  let server: http.Server;
  let url: string;
  let serial = 0;

  beforeEach(async () => {
    t = await fakeChildren();
    const parse = { policyType: 'str', limit: '32', model: 'model' };
    events = await startFlow(
      [
        t.model(),
        nodeConfig('m2fp-infer', 'node', { ...parse, wires: [['out'], ['out2']] }),
        nodeConfig('m2fp-infer', 'client', { ...parse, wires: [['response']] }),
        nodeConfig('m2fp-load', 'load', { model: 'model', wires: [['out2']] }),
        {
          id: 'in',
          type: 'http in',
          name: '',
          method: 'post',
          url: '/parse',
          upload: false,
          wires: [['client']],
        },
        { id: 'catcher', type: 'catch', scope: null, uncaught: false, wires: [['response', 'caught']] },
        { id: 'response', type: 'http response', name: '', statusCode: '', headers: {}, wires: [] },
      ],
      [coreNode('network/21-httpin')],
    );
    server = http.createServer(redApi().httpNode as unknown as http.RequestListener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/parse`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await t.stop();
  });

  leavesNothingBehind();

  const nextOrder = (text: string) => order(`${text} ${serial++}`);
  const picture = (text: string, policy = 'wait') =>
    nodeOf('node').receive({
      payload: nextOrder(text),
      topic: 'camera',
      text,
      m2fp: { policy, limit: 32 },
    });
  const act = (action: string) => nodeOf('load').receive({ payload: { action }, act: action });
  const client = async (text: string): Promise<number> => {
    const body = new Uint8Array(nextOrder(text));
    const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'image/gif' } });
    await response.arrayBuffer();
    return response.status;
  };
  const codes = () => events.caught.map(({ error }) => error.code);
  const texts = () => events.sent.map((msg) => String((msg as { text?: string }).text)).toSorted();

  async function warm(): Promise<void> {
    picture('warm');
    await events.ended();
    events.sent.length = 0;
  }

  const FOLDERS = [
    ['as it was', async () => {}, undefined],
    ['only touched', () => utimes(join(t.folder, 'model.onnx'), 1, 1), undefined],
    [
      'with another model',
      () => writeModel(t.folder, { ...MANIFEST, labels: ['Background', 'Hat', 'Human'] }),
      undefined,
    ],
    ['gone', () => rename(t.folder, `${t.folder} moved`), 'M2FP_MODEL_NOT_FOUND'],
    ['damaged', () => writeFile(join(t.folder, 'model.onnx'), 'x'), 'M2FP_MODEL_INVALID'],
  ] as const;

  for (const [folder, change, code] of FOLDERS) {
    it(`cancels nobody, and answers every client with 200, with a folder ${folder}`, async () => {
      await warm();
      const clients = ['slow 10', 'B'].map(client);
      for (const text of ['slow 20', 'A', 'B']) picture(text);
      await change();
      act('reload');
      for (const text of ['C', 'D']) picture(text);
      clients.push(client('E'));
      assert.deepEqual(await Promise.all(clients), [200, 200, 200]);
      await events.until(
        () => events.sent.length >= 5 && events.sentOnSecondWire.length + codes().length >= 1,
      );
      assert.deepEqual(texts(), ['A', 'B', 'C', 'D', 'slow 20']);
      assert.deepEqual(codes(), code === undefined ? [] : [code]);
      picture('F');
      assert.equal(await client('G'), 200);
      await events.until(() => events.sent.length === 6);
    });
  }

  it('gives each camera its newest: of A, A, B around it the last one is parsed', async () => {
    await warm();
    picture('slow 20', 'latest');
    picture('A', 'latest');
    act('reload');
    picture('A', 'latest');
    picture('B', 'latest');
    await events.until(() => events.sent.length === 2 && events.sentOnSecondWire.length === 3);
    assert.deepEqual(texts(), ['B', 'slow 20']);
    assert.deepEqual(codes(), []);
  });

  for (const actions of [
    ['reload', 'reload'],
    ['unload'],
    ['load', 'reload', 'unload', 'warm-up', 'reload'],
  ]) {
    it(`${actions.join(', ')} between pictures, before the model is loaded: nobody is cancelled`, async () => {
      picture('A');
      for (const action of actions) {
        act(action);
        picture(`before ${action}`);
      }
      assert.equal(await client('C'), 200);
      await events.until(
        () => events.sent.length === actions.length + 1 && events.sentOnSecondWire.length === actions.length,
      );
      assert.deepEqual(codes(), []);
    });
  }

  it('is told once where it fails, and the folder mended is read by the next one', async () => {
    await warm();
    await rm(join(t.folder, 'm2fp.json'));
    act('reload');
    await events.until(() => codes().length === 1);
    await writeModel(t.folder);
    act('reload');
    await events.until(() => events.sentOnSecondWire.length === 1);
    assert.deepEqual(codes(), ['M2FP_MODEL_NOT_FOUND']);
  });
});
