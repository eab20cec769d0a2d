/** Two cameras at 15 frames per second and an HTTP client, all at one engine with one process. */
import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import { leavesNothingBehind } from '../engine/support/fakes.ts';
import { nodeConfig } from '../nodes/support/flows.ts';
import { type Events, nodeOf, startFlow, stopFlow } from '../nodes/support/red.ts';
import { type FakeChildren, fakeChildren, modelNode, order, settled } from './support/fake-children.ts';

const CAMERAS = ['camera 1', 'camera 2'];
/** Frames that each camera sends while one picture is parsed: 400 ms at 15 frames per second. */
const FRAMES = 6;

describe('two cameras and a client', () => {
  let t: FakeChildren;
  let events: Events;
  let dropped: NodeMessage[];
  let sentFrames: number;
  let clients: number;

  beforeEach(async () => {
    t = await fakeChildren();
    sentFrames = 0;
    clients = 0;
    const camera = (id: string) =>
      nodeConfig('m2fp-infer', id, { model: 'model', policy: 'latest', wires: [['out'], ['out2']] });
    events = await startFlow([
      t.model(),
      nodeConfig('m2fp-infer', 'node', { model: 'model', wires: [['out'], ['out2']] }),
      ...CAMERAS.map(camera),
    ]);
    dropped = events.sentOnSecondWire;
    await (await modelNode().engine()).load();
  });
  afterEach(() => t.stop());
  leavesNothingBehind();

  const frame = async (camera: string): Promise<void> => {
    sentFrames++;
    nodeOf(camera).receive({ payload: order(`hold ${sentFrames}`), topic: camera, frame: sentFrames });
    await arrived();
  };
  const client = async (): Promise<void> => {
    clients++;
    nodeOf('node').receive({ payload: order(`hold client ${clients}`), topic: 'client' });
    await arrived();
  };
  /** Every message sent so far waits, runs, was dropped or has been parsed. */
  const arrived = (): Promise<void> =>
    settled(async () => {
      const { waiting, running } = await t.info();
      return waiting + running + dropped.length + events.sent.length === sentFrames + clients;
    });
  /** The running picture is done. */
  const parsed = async (): Promise<string> => {
    const count = events.sent.length;
    await settled(async () => (await t.info()).state === 'running');
    process.kill((await t.info()).pid!, 'SIGUSR2');
    await events.until(() => events.sent.length > count);
    return events.sent[count]!.topic!;
  };

  it('take turns: the client waits for the running picture and at most one more, no camera starves', async () => {
    const served: string[] = [];
    const waits: number[] = [];
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < FRAMES; i++) for (const camera of CAMERAS) await frame(camera);
      const asks = round % 3 === 1;
      if (asks) await client();
      const before = served.length;
      served.push(await parsed());
      if (!asks) continue;
      while (served.at(-1) !== 'client') served.push(await parsed());
      waits.push(served.length - 1 - before);
    }
    assert.deepEqual(events.caught, []);
    assert.ok(
      waits.every((images) => images <= 2),
      `pictures before each client's: ${waits.join()}`,
    );
    const [first, second] = CAMERAS.map((camera) => served.filter((topic) => topic === camera).length);
    assert.ok(Math.abs(first! - second!) <= 1, served.join());
    // What was not parsed was dropped, and told.
    const left = (await t.info()).waiting + (await t.info()).running;
    assert.equal(dropped.length + events.sent.length + left, sentFrames + clients);
    assert.ok(dropped.every((msg) => msg['dropped'] === 'replaced'));
  });

  it('are never more than one waiting picture each, the newest', async () => {
    for (let i = 0; i < FRAMES; i++) for (const camera of CAMERAS) await frame(camera);
    const { waiting, running } = await t.info();
    assert.deepEqual([waiting, running], [2, 1]);
    const topics: string[] = [];
    for (let i = 0; i < 3; i++) topics.push(await parsed());
    assert.deepEqual(topics, ['camera 1', 'camera 2', 'camera 1']);
    assert.deepEqual(
      events.sent.map((msg) => msg['frame']),
      [1, 12, 11],
    );
  });

  it('drop a picture that waited too long, and answer the client in any case', async () => {
    await stopFlow();
    const settings = { model: 'model', maxAge: 2, wires: [['out'], ['out2']] };
    events = await startFlow([t.model(), nodeConfig('m2fp-infer', 'node', settings)]);
    dropped = events.sentOnSecondWire;
    const give = (topic: string, more = {}): void =>
      nodeOf('node').receive({ payload: order(`hold ${topic}`), topic, ...more });
    give('runs');
    give('waits');
    give('client', { res: {} });
    await settled(async () => (await t.info()).waiting === 2 && (await t.info()).state === 'running');
    t.clock.advance(1999);
    assert.equal(dropped.length + events.caught.length, 0);
    t.clock.advance(1);
    await events.until(() => dropped.length + events.caught.length === 2);
    assert.deepEqual(
      dropped.map((msg) => [msg.topic, msg['dropped']]),
      [['waits', 'expired']],
    );
    assert.deepEqual([events.caught[0]!.error.code, events.caught[0]!.statusCode], ['M2FP_TIMEOUT', 504]);
    assert.equal(await parsed(), 'runs');
  });
});
