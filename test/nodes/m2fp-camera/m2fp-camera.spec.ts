import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import sharp from 'sharp';
import type { CameraState } from '../../../src/camera/index.ts';
import { CameraServer, sendParts } from '../../camera/support/camera-server.ts';
import { jpegOf } from '../../camera/support/jpegs.ts';
import { type FakeEngine, fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { coreNode, deploy, type Events, type NodeConfig, send, startFlow, stopFlow } from '../support/red.ts';

type FrameMessage = NodeMessage & { frame: { camera: string; number: number; time: number } };
type StateMessage = NodeMessage & {
  payload: CameraState & { camera: string; sent: number; skipped: number; unchanged: number };
};

describe('m2fp-camera', () => {
  let server: CameraServer;
  let images: Buffer[];

  before(async () => {
    images = await Promise.all([1, 2, 3, 4].map((number) => jpegOf(number)));
  });
  beforeEach(async () => {
    server = await new CameraServer().start();
    let number = 0;
    server.handler = (_request, response) => void response.end(images[number++ % images.length]);
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
    await server.stop();
  });

  const camera = (properties: object = {}): NodeConfig =>
    nodeConfig('m2fp-camera', 'node', {
      name: 'door',
      address: server.url('/snap.jpg'),
      wires: [['out'], ['out2']],
      ...properties,
    });
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

  describe('before a model', () => {
    let engine: FakeEngine;

    beforeEach(() => {
      ({ engine } = fakeEngines());
    });

    const flow = (properties: object = {}): NodeConfig[] => [
      nodeConfig('m2fp-model', 'model'),
      camera({ wires: [['way'], ['out2']], ...properties }),
      {
        id: 'way',
        type: 'switch',
        property: 'payload',
        rules: [{ t: 'else' }],
        checkall: 'true',
        wires: [['linkout']],
      },
      { id: 'linkout', type: 'link out', mode: 'link', links: ['linkin'], wires: [] },
      { id: 'linkin', type: 'link in', links: ['linkout'], wires: [['infer']] },
      nodeConfig('m2fp-infer', 'infer', { model: 'model', wires: [['out'], []] }),
    ];
    const core = ['function/10-switch', 'common/60-link'].map(coreNode);
    /** Resolves when the camera has been asked so often. */
    const asked = async (count: number): Promise<void> => {
      while (server.requests.length < count) await server.asked();
    };

    /** Resolves when other requests have come through, and those of the camera would have, too. */
    const letOthersAsk = async (): Promise<void> => {
      const other = await new CameraServer().start();
      for (let round = 0; round < 10; round++) await fetch(other.url('/'));
      await other.stop();
    };

    it('asks for the next frame when the model is done, on whichever way the frame came to it', async () => {
      engine.held = true;
      const events = await startFlow(flow(), core);
      await engine.requested(1);
      await letOthersAsk();
      assert.equal(server.requests.length, 1);
      engine.letGo();
      await events.until(() => events.sent.length >= 3);
      assert.deepEqual(
        events.sent.slice(0, 3).map((msg) => (msg as FrameMessage).frame.number),
        [1, 2, 3],
      );
    });

    it('waits for the model behind links without a node before them', async () => {
      engine.held = true;
      const linked = flow().filter(({ id }) => id !== 'way');
      await startFlow(
        linked.map((node) => (node.id === 'node' ? { ...node, wires: [['linkout'], []] } : node)),
        core,
      );
      await engine.requested(1);
      await letOthersAsk();
      assert.equal(server.requests.length, 1);
    });

    it('goes on when its flow is deployed anew, as other cameras do', async () => {
      const tab = (name: string): NodeConfig[] => [
        nodeConfig('m2fp-model', 'model'),
        ...['one', 'two', 'three'].map((id) =>
          camera({ id, name: id, wires: [['infer'], []], address: server.url(`/${id}`) }),
        ),
        nodeConfig('m2fp-infer', 'infer', { name, model: 'model', wires: [['out'], []] }),
      ];
      await startFlow(tab('before'));
      await asked(12);
      // Those under way are given up, and nobody tells that they are.
      engine.held = true;
      await engine.requested(engine.requests.length + 1);
      engine.held = false;
      const events = await deploy(tab('after'), 'flows');
      await events.until(() =>
        ['one', 'two', 'three'].every(
          (name) => (events.sent as FrameMessage[]).filter(({ frame }) => frame.camera === name).length >= 3,
        ),
      );
    });

    it('goes on where the model fails, and where a node keeps the frame', async () => {
      engine.failure = new Error('no');
      await startFlow(flow(), core);
      await asked(3);
      await stopFlow();
      server.requests.length = 0;
      const filter = {
        id: 'way',
        type: 'switch',
        property: 'payload',
        rules: [],
        checkall: 'true',
        wires: [[]],
      };
      await startFlow([camera({ wires: [['way'], ['out2']] }), filter], core);
      await asked(3);
    });

    it('does not wait for a model that gets the frame no more', async () => {
      engine.held = true;
      await startFlow(flow(), core);
      await engine.requested(1);
      const { length } = server.requests;
      await deploy(
        flow().map((node) => (node.id === 'infer' ? { ...node, name: 'changed' } : node)),
        'nodes',
      );
      await asked(length + 1);
    });

    it('rests longer and longer where the model fails, and not any more when it works', async () => {
      engine.failure = new Error('no');
      const events = await startFlow(flow(), core);
      const times: number[] = [];
      for (let count = 1; count <= 3; count++) {
        await asked(count);
        times.push(performance.now());
      }
      assert.ok(times[1]! - times[0]! >= 400 && times[2]! - times[1]! >= 900, times.join());
      engine.failure = undefined;
      await events.until(() => events.sent.length >= 5);
    });

    it('stands in line from the first frame on', async () => {
      engine.held = true;
      const names = ['one', 'two', 'three', 'four', 'five'];
      await startFlow([
        nodeConfig('m2fp-model', 'model'),
        ...names.map((name) => camera({ id: name, name, wires: [['infer'], []] })),
        nodeConfig('m2fp-infer', 'infer', { model: 'model', wires: [['out'], []] }),
      ]);
      await engine.requested(2);
      await letOthersAsk();
      assert.equal(engine.requests.length, 2);
    });

    /** A function node before the model that sends later. */
    const later = (func: string): NodeConfig => ({
      id: 'way',
      type: 'function',
      func,
      outputs: 1,
      wires: [['infer']],
    });
    const withFunctions = [...core, coreNode('function/10-function')];

    for (const [ms, most] of [
      [60, 1],
      // Nobody knows before the first one is there that frames are still on their way.
      [1200, 3],
    ] as const) {
      it(`waits for a node that says that it is done, and sends the frame ${ms} ms later`, async () => {
        engine.held = true;
        const func = `setTimeout(() => node.send(msg), ${ms}); return null;`;
        await startFlow(
          flow().map((node) => (node.id === 'way' ? later(func) : node)),
          withFunctions,
        );
        await engine.requested(most);
        await letOthersAsk();
        assert.equal(server.requests.length, most);
      });
    }

    it('holds up no other camera while other nodes have its frame', async () => {
      const cameras = ['slow', 'slower', 'fast'].map((id) =>
        camera({
          id,
          name: id,
          wires: [[id === 'fast' ? 'infer' : 'way'], []],
          address: server.url(`/${id}`),
        }),
      );
      const events = await startFlow(
        [
          nodeConfig('m2fp-model', 'model'),
          ...cameras,
          later('setTimeout(() => { node.send(msg); node.done(); }, 4000);'),
          nodeConfig('m2fp-infer', 'infer', { model: 'model', wires: [['out'], []] }),
        ],
        withFunctions,
      );
      await events.until(() => events.sent.length >= 20);
      const names = new Set((events.sent as FrameMessage[]).map(({ frame }) => frame.camera));
      assert.deepEqual([...names], ['fast']);
    });

    it('takes turns with the other cameras of the model, one frame ahead of it', async () => {
      const names = ['one', 'two', 'three', 'four'];
      const cameras = names.map((name) =>
        camera({ id: name, name, wires: [['infer'], []], address: server.url(`/${name}`) }),
      );
      const events = await startFlow([
        nodeConfig('m2fp-model', 'model'),
        ...cameras,
        nodeConfig('m2fp-infer', 'infer', { model: 'model', wires: [['out'], []] }),
      ]);
      const frames = (): FrameMessage[] => events.sent as FrameMessage[];
      // Each of them comes to know its model with its first frame.
      await events.until(() => names.every((name) => frames().some(({ frame }) => frame.camera === name)));
      engine.held = true;
      const { length } = engine.requests;
      await engine.requested(length + 1);
      const before = server.requests.length;
      await letOthersAsk();
      assert.ok(
        server.requests.length - before <= 1,
        `${server.requests.length - before} frames were fetched`,
      );
      engine.letGo();
      const sent = frames().length;
      await events.until(() => frames().length >= sent + 12);
      const last = new Set(
        frames()
          .slice(-12)
          .map(({ frame }) => frame.camera),
      );
      assert.equal(last.size, 4, [...last].join());
    });

    it('does not wait for the model where the rate is fixed', async () => {
      engine.held = true;
      await startFlow(flow({ pace: 'fixed', rate: 50 }), core);
      await asked(4);
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
