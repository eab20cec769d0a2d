import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import type { PreviewNotice } from '../../../nodes/m2fp-preview/admin.ts';
import { imageThumbnail, type PreviewFacts } from '../../../src/parsing/colorize/preview.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { formatOf } from '../../parsing/scene.ts';
import { exampleParsing } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import {
  deploy,
  type Events,
  type NodeConfig,
  nodeOf,
  redApi,
  send,
  startFlow,
  stopFlow,
} from '../support/red.ts';

describe('m2fp-preview', () => {
  let parsing: Parsing;
  let server: http.Server;
  let notices: PreviewNotice[];

  const preview = (properties = {}) => nodeConfig('m2fp-preview', 'node', properties);

  /** Starts a flow with the node, and a server for its admin routes. */
  const start = async (properties = {}, more: NodeConfig[] = []): Promise<Events> => {
    const events = await startFlow([preview(properties), ...more]);
    const { comms } = redApi() as unknown as {
      comms: { publish: (topic: string, data: unknown, retain: boolean) => void };
    };
    const { publish } = comms;
    comms.publish = (topic, data, retain) => {
      publish.call(comms, topic, data, retain);
      if (topic !== 'm2fp-preview') return;
      assert.equal(retain, false);
      notices.push(data as PreviewNotice);
      events.emit('event');
    };
    undo = () => {
      comms.publish = publish;
    };
    server = http.createServer(redApi().httpAdmin as unknown as http.RequestListener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return events;
  };
  let undo = (): void => {};

  const ask = (path: string, method = 'GET'): Promise<Response> => {
    const { port } = server.address() as AddressInfo;
    return fetch(`http://127.0.0.1:${port}/m2fp/${path}`, {
      method,
      ...(method === 'POST' && { headers: { 'content-type': 'application/json' } }),
    });
  };
  const pull = async (path: string): Promise<string> => {
    const response = await ask(path);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    return formatOf(Buffer.from(await response.arrayBuffer()));
  };

  beforeEach(async () => {
    parsing = await exampleParsing();
    notices = [];
  });
  afterEach(async () => {
    undo();
    server.close();
    await stopFlow();
  });

  it('sends the message on as it came', async () => {
    const events = await start();
    const msg = { payload: { persons: [] }, parsing, topic: 'x' };
    send(msg);
    await events.ended();
    assert.equal(events.sent[0], msg);
    assert.equal(msg.parsing, parsing);
    assert.deepEqual(Object.keys(msg).toSorted(), ['_msgid', 'parsing', 'payload', 'topic']);
  });

  it('tells the editor of a new thumbnail, without the picture', async () => {
    const events = await start();
    send({ parsing });
    await events.until(() => notices.length === 1);
    const { id, seq, width, height, legend } = notices[0]!;
    assert.deepEqual({ id, seq, width, height }, { id: 'node', seq: 1, width: 8, height: 4 });
    assert.equal(legend!.length, 2);
    assert.ok(JSON.stringify(notices[0]).length < 300);
  });

  it('has the pictures and the facts for those who ask', async () => {
    const events = await start();
    assert.deepEqual(await (await ask('previews')).json(), []);
    assert.equal((await ask('previews/node')).status, 404);
    assert.equal((await ask('previews/node/thumbnail')).status, 404);
    send({ parsing });
    await events.until(() => notices.length === 1);
    assert.deepEqual(await (await ask('previews')).json(), notices);
    assert.equal(await pull('previews/node/thumbnail'), 'jpeg');
    assert.equal(await pull('previews/node/source'), 'jpeg');
    assert.equal(await pull('previews/node/maps'), 'png');
    const { facts } = (await (await ask('previews/node')).json()) as { facts: PreviewFacts };
    assert.equal(facts.persons.length, parsing.persons.length);
  });

  it('has no maps of a picture without a parsing', async () => {
    const events = await start({ view: 'picture' });
    send({ payload: parsing.image });
    await events.until(() => notices.length === 1);
    assert.equal(await pull('previews/node/thumbnail'), 'jpeg');
    assert.equal((await ask('previews/node/maps')).status, 404);
    assert.equal(((await (await ask('previews/node')).json()) as { facts: unknown }).facts, null);
  });

  describe('of what comes', () => {
    /** Of another look than the parsing's picture. */
    let other: Buffer;
    const isShown = async (): Promise<'overlay' | 'picture'> =>
      (await (await ask('previews/node')).text()).includes('"facts":null') ? 'picture' : 'overlay';

    before(async () => {
      other = await sharp({ create: { width: 16, height: 4, channels: 3, background: 'red' } })
        .png()
        .toBuffer();
    });

    for (const [name, message, shown] of [
      ['a summary beside the parsing', () => ({ payload: { persons: [] } }), 'overlay'],
      ['the picture that was parsed', () => ({ payload: Buffer.from(parsing.image) }), 'overlay'],
      ['the same as base64', () => ({ payload: parsing.image.toString('base64') }), 'overlay'],
      ['bytes that are no picture', () => ({ payload: Buffer.from('hello') }), 'overlay'],
      ['another picture', () => ({ payload: other }), 'picture'],
      ['a picture without a parsing', () => ({ payload: other, parsing: undefined }), 'picture'],
    ] as const) {
      it(`is the ${shown} for ${name}`, async () => {
        const events = await start();
        send({ parsing, ...message() });
        await events.until(() => notices.length === 1);
        assert.equal(await isShown(), shown);
        assert.deepEqual(events.caught, []);
      });
    }

    for (const [type, properties] of [
      ['m2fp-colorize', {}],
      ['m2fp-redact', { labels: 'Hair' }],
      ['m2fp-redact', { labels: 'Hair', replaceSource: true }],
      // Nobody is to be redacted: the picture goes on as it was, and is what the node put out all the same.
      ['m2fp-redact', { labels: 'Hair', persons: '99', nobody: 'pass' }],
    ] as const) {
      it(`is the picture that came out of ${type} ${JSON.stringify(properties)}`, async () => {
        const events = await start({ wires: [['out']] }, [
          nodeConfig(type, 'first', { ...properties, wires: [['node', 'beside'], []] }),
          // A second wire, so that the message is cloned.
          nodeConfig('m2fp-preview', 'beside'),
        ]);
        nodeOf('first').receive({ payload: {}, parsing });
        await events.until(() => notices.some(({ id }) => id === 'node'));
        assert.equal(await isShown(), 'picture');
      });
    }

    it('is refused where it is too large, without a word of limits that no model sets here', async () => {
      const events = await start();
      send({ payload: Buffer.concat([other, Buffer.alloc(33 * 2 ** 20)]) });
      await events.ended();
      const [caught] = events.caught;
      assert.match(caught!.error.message, /Send a smaller one\.$/);
      assert.deepEqual(notices, []);
      // A PNG that claims to be so large.
      const claimed = Buffer.from(other);
      claimed.writeUInt32BE(9000, 16);
      claimed.writeUInt32BE(9000, 20);
      await assert.rejects(imageThumbnail(claimed, 100), /9000 x 9000.*Send a smaller one\.$/);
    });

    it('is so for a node without the field, too', async () => {
      const events = await start({ view: undefined, picture: undefined, pictureType: undefined });
      send({ parsing, payload: other });
      await events.until(() => notices.length === 1);
      assert.equal(await isShown(), 'picture');
    });

    it('is nothing where it was switched off while the message was looked at', async () => {
      const events = await start();
      send({ parsing });
      await ask('previews/node/disable', 'POST');
      await events.ended();
      await ask('previews/node/enable', 'POST');
      send({ parsing });
      await events.until(() => notices.length === 1);
      assert.equal(notices[0]!.seq, 1);
    });
  });

  it('is switched off and on without a deploy', async () => {
    const events = await start();
    send({ parsing });
    await events.until(() => notices.length === 1);
    assert.equal((await ask('previews/node/disable', 'POST')).status, 200);
    assert.deepEqual(notices[1], { id: 'node', seq: 0 });
    assert.equal((await ask('previews/node/thumbnail')).status, 404);
    send({ payload: 'not even a parsing' });
    await events.ended(2);
    assert.deepEqual(events.caught, []);
    assert.equal((await ask('previews/node/enable', 'POST')).status, 200);
    send({ parsing });
    await events.until(() => notices.length === 3);
  });

  it('begins switched off where its form says so', async () => {
    const events = await start({ active: false });
    send({ payload: 'x' });
    await events.ended();
    assert.deepEqual(events.caught, []);
    assert.deepEqual(notices, []);
  });

  for (const [path, method] of [
    ['previews/other', 'GET'],
    ['previews/other/thumbnail', 'GET'],
    ['previews/other/enable', 'POST'],
    ['previews/node/burn', 'POST'],
    ['previews/__proto__', 'GET'],
  ] as const) {
    it(`does not know ${method} ${path}`, async () => {
      await start();
      assert.equal((await ask(path, method)).status, 404, path);
    });
  }

  it('shows nothing more when it has gone', async () => {
    const events = await start();
    send({ parsing });
    await events.until(() => notices.length === 1);
    await deploy([nodeConfig('m2fp-colorize', 'node')]);
    assert.deepEqual(notices[1], { id: 'node', seq: 0 });
    assert.equal((await ask('previews/node')).status, 404);
    assert.deepEqual(await (await ask('previews')).json(), []);
  });

  it('shows in its status what cannot be drawn, and the message has gone on', async () => {
    const events = await start();
    send({ parsing: { ...parsing, image: Buffer.from('no picture') } });
    await events.until(() => events.statuses.some(({ fill }) => fill === 'red'));
    await events.ended();
    assert.equal(events.sent.length, 1);
    assert.deepEqual(events.caught, []);
  });

  for (const [name, msg, properties, code] of [
    ['a message without a parsing', {}, {}, 'M2FP_NO_PARSING'],
    ['a message without a picture', { payload: 7 }, { view: 'picture' }, 'M2FP_NO_IMAGE'],
    ['a size that is none', null, { size: 'wide' }, 'M2FP_BAD_OPTION'],
    ['an unknown view', null, { view: 'x-ray' }, 'M2FP_BAD_OPTION'],
  ] as const) {
    it(`ends ${name} in ${code}`, async () => {
      const events = await start(properties);
      send(msg === null ? { parsing } : { ...msg });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, code);
      assert.deepEqual(events.sent, []);
    });
  }
});
