/** When a camera sends its next frame: beside models, other cameras and whatever nodes there are on the way. */
import assert from 'node:assert/strict';
import { CameraServer } from '../../camera/support/camera-server.ts';
import { type FakeEngine, fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { coreNode, deploy, type NodeConfig, startFlow, stopFlow } from '../support/red.ts';
import { cameraNode, type FrameMessage, startCamera } from './support.ts';

describe('a camera before a model', () => {
  let server: CameraServer;
  let engine: FakeEngine;

  beforeEach(async () => {
    server = await startCamera();
    ({ engine } = fakeEngines());
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
    await server.stop();
  });

  const camera = (properties: object = {}): NodeConfig => cameraNode(server, properties);

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
    assert.ok(server.requests.length - before <= 1, `${server.requests.length - before} frames were fetched`);
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
