import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import sharp from 'sharp';
import type { CameraState } from '../../../src/camera/index.ts';
import { CameraServer, sendParts } from '../../camera/support/camera-server.ts';
import { notPlain } from '../support/plain-data.ts';
import { cameraNode, type FrameMessage, images, startCamera } from './support.ts';
import { deploy, type Events, type NodeConfig, send, startFlow, stopFlow } from '../support/red.ts';

type StateMessage = NodeMessage & {
  payload: CameraState & { camera: string; sent: number; skipped: number; unchanged: number };
};

describe('m2fp-camera', () => {
  let server: CameraServer;

  beforeEach(async () => {
    server = await startCamera();
  });
  afterEach(async () => {
    await stopFlow();
    await server.stop();
  });

  const camera = (properties: object = {}): NodeConfig => cameraNode(server, properties);
  const start = (properties: object = {}, credentials: object = {}): Promise<Events> =>
    startFlow([camera(properties)], [], { node: credentials });
  const states = (events: Events): StateMessage['payload'][] =>
    events.sentOnSecondWire.map((msg) => (msg as StateMessage).payload);

  it('sends frames with the name of the camera, and its state', async () => {
    const events = await start();
    await events.ended(3);
    const [first, second, third] = events.sent as FrameMessage[];
    assert.deepEqual(
      [first, second, third].map((msg) => msg!.payload),
      images.slice(0, 3),
    );
    assert.deepEqual(
      [first, second, third].map((msg) => msg!.frame.number),
      [1, 2, 3],
    );
    assert.equal(first!.topic, 'door');
    assert.equal(first!.frame.camera, 'door');
    assert.ok(Math.abs(first!.frame.time - Date.now()) < 60_000);
    assert.deepEqual(notPlain(first), []);
    const [state] = states(events);
    assert.deepEqual(
      { ...state, since: 0 },
      {
        camera: 'door',
        state: 'online',
        reason: null,
        message: null,
        since: 0,
        still: false,
        sent: 0,
        skipped: 0,
        unchanged: 0,
      },
    );
  });

  it('says why it is offline, once, and that it is back', async () => {
    const { handler } = server;
    server.handler = (_request, response) => void response.writeHead(500).end();
    const events = await start();
    await events.until(() => states(events).length === 1);
    server.handler = handler;
    await events.ended(1);
    assert.deepEqual(
      states(events).map(({ state, reason }) => [state, reason]),
      [
        ['offline', 'refused'],
        ['online', null],
      ],
    );
    assert.ok(events.statuses.some(({ text }) => String(text).endsWith('camera.refused')));
  });

  it('logs in with its credentials, and tells of them nowhere', async () => {
    server.login = {
      account: { user: 'anna', password: 'secret' },
      challenges: (nonce) => [`Digest realm="c", nonce="${nonce}"`],
    };
    const events = await start({ login: 'login' }, { user: 'anna', password: 'secret' });
    await events.ended(1);
    await deploy([camera({ login: 'login', address: server.url('/snap.jpg?pw={password}') })]);
    assert.doesNotMatch(
      JSON.stringify([events.sent.map((msg) => ({ ...msg, payload: '' })), states(events), events.statuses]),
      /secret/,
    );
  });

  it('does not send what the form does not choose', async () => {
    const events = await start({ login: 'none' }, { user: 'anna', password: 'secret', token: 'secret' });
    await events.ended(1);
    assert.deepEqual(
      new Set(server.requests.map(({ authorization }) => authorization)),
      new Set([undefined]),
    );
  });

  it('says that its form is wrong, and ends every message in that', async () => {
    const events = await start({ address: 'camera' });
    send({ payload: 'next' });
    await events.ended(1);
    assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
    assert.ok(events.statuses.some(({ text }) => String(text).endsWith('error.M2FP_BAD_OPTION')));
  });

  for (const [name, properties, words] of [
    ['no address', { address: ' ' }, /must begin with http/],
    ['an address for ffmpeg', { address: 'rtsp://10.0.0.5/x' }, /must begin with http/],
    ['an address of nothing', { address: 'htp:/10.0.0.5/x' }, /must begin with http/],
    ['a rate that is no number', { rate: 'abc' }, /rate/],
    ['a limit of 0', { timeout: 0 }, /timeout/],
    ['areas that are none', { motion: true, ignored: '[{' }, /ignored/],
  ] as const) {
    it(`says at its second output what is wrong with ${name}, also where it waits for start`, async () => {
      const events = await start({ ...properties, autostart: false });
      await events.until(() => states(events).length === 1);
      const [state] = states(events);
      assert.deepEqual([state!.state, state!.reason, state!.sent], ['offline', 'settings', 0]);
      assert.match(state!.message!, words);
      await events.until(() => events.statuses.some(({ text }) => String(text).endsWith('camera.settings')));
      assert.deepEqual(notPlain(events.sentOnSecondWire[0]), []);
    });
  }

  describe('asked by messages', () => {
    it('sends a frame in the message that asks for it, and nothing by itself', async () => {
      const events = await start({ pace: 'manual' });
      assert.equal(server.requests.length, 0);
      const req = { method: 'GET' };
      send({ payload: 1_700_000_000, req, other: 'kept' });
      await events.ended(1);
      const [msg] = events.sent as (FrameMessage & { other: string; req: object })[];
      assert.deepEqual(
        [msg!.payload, msg!.topic, msg!.other, msg!.req, msg!.frame.number],
        [images[0], 'door', 'kept', req, 1],
      );
      assert.equal(server.requests.length, 1);
      await events.until(() => events.completed.length === 1);
    });

    it('starts and stops', async () => {
      const events = await start({ autostart: false });
      assert.equal(server.requests.length, 0);
      send({ payload: 'start' });
      await events.ended(2);
      send({ payload: 'stop' });
      await events.until(() => states(events).at(-1)?.reason === 'stopped');
      const { length } = server.requests;
      send({ payload: 'snapshot' });
      await events.until(() => events.completed.length === 3);
      assert.equal(server.requests.length, length + 1);
    });

    it('fails with what is wrong with the camera', async () => {
      server.handler = (_request, response) => void response.end('<html>');
      const events = await start({ pace: 'manual' });
      send({ payload: 'next' });
      await events.ended(1);
      assert.equal(events.caught[0]!.error.code, 'M2FP_CAMERA_OFFLINE');
      assert.equal(events.caught[0]!.statusCode, 503);
    });

    it('does not take a word for another', async () => {
      const events = await start({ autostart: false });
      send({ payload: 'go' });
      await events.ended(1);
      assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
    });

    it('ends a message that waits when it is closed', async () => {
      server.handler = () => {};
      const events = await start({ pace: 'manual' });
      send({ payload: 'next' });
      await server.asked();
      await stopFlow();
      assert.deepEqual(
        events.done.map(({ code }) => code),
        ['M2FP_CANCELLED'],
      );
    });
  });

  it('keeps back what has not moved, and says that it is still', async () => {
    const [left, right] = await Promise.all(
      [0, 200].map((x) =>
        sharp(
          Buffer.from(
            `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect width="320" height="240" fill="#888"/>
            <rect x="${x}" y="80" width="60" height="90" fill="#222"/></svg>`,
          ),
        )
          .jpeg()
          .toBuffer(),
      ),
    );
    server.handler = (_request, response) => void response.end(left);
    const events = await start({ motion: true });
    await events.until(() => states(events).at(-1)?.still === true);
    assert.equal(events.sent.length, 1);
    server.handler = (_request, response) => void response.end(right);
    await events.ended(2);
    assert.deepEqual(
      states(events).map(({ still }) => still),
      [false, true, false],
    );
    assert.ok(states(events)[2]!.unchanged > 0);
  });

  it('has no connection when it is stopped, and none twice when it is deployed again', async () => {
    let open = 0;
    let most = 0;
    server.handler = async (_request, response) => {
      most = Math.max(most, ++open);
      response.on('close', () => open--);
      await sendParts(response, images);
    };
    let events = await start({ source: 'mjpeg' });
    for (let round = 0; round < 5; round++) {
      await events.ended(1);
      events = await deploy([camera({ source: 'mjpeg', name: `door ${round}` })]);
    }
    await events.ended(1);
    await stopFlow();
    assert.equal(most, 1);
  });
});
