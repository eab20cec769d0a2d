/** The example for Home Assistant, with a real broker: what its MQTT integration would find there. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Ajv } from 'ajv';
import mqtt, { type MqttClient } from 'mqtt';
import sharp from 'sharp';
import { example, type FlowNode, freePort, NodeRed } from '../support/node-red.ts';
import { Mosquitto } from './support/mosquitto.ts';
import { DEVICE_DISCOVERY } from './support/home-assistant-schema.ts';

interface Discovery {
  availability: { topic: string }[];
  state_topic: string;
  components: Record<string, { platform: string; image_topic?: string; value_template?: string }>;
}

/** What the tab of the example says of zones of each camera: a switch node, and a copy of "track people" behind each of its outputs. */
const ZONES = { yard: 'lawn', garage: 'gate' };
function withZones(flows: readonly FlowNode[]): FlowNode[] {
  const track = flows.find(({ type }) => type === 'm2fp-track')!;
  const cameras = Object.entries(ZONES);
  const choose: FlowNode = {
    id: 'choose',
    type: 'switch',
    z: track.z!,
    name: '',
    property: 'topic',
    propertyType: 'msg',
    rules: [...cameras.map(([camera]) => ({ t: 'eq', v: camera, vt: 'str' })), { t: 'else' }],
    checkall: 'false',
    repair: false,
    outputs: cameras.length + 1,
    x: track.x!,
    y: track.y!,
    wires: [...cameras.map(([camera]) => [camera]), [track.id]],
  };
  const everywhere = [[0, 0], [1, 0], [1, 1], [0, 1]]; // prettier-ignore
  const copies = cameras.map(([id, name]): FlowNode => {
    return { ...track, id, zones: JSON.stringify([{ name, kind: 'zone', points: everywhere }]) };
  });
  const described = flows.map((node) =>
    node.type === 'm2fp-describe' ? { ...node, wires: [[choose.id]] } : node,
  );
  return [...described, choose, ...copies];
}

/** Each a camera of its own. */
const NAMES = ['大门', '前门', 'Front door', 'front_door', 'front  door', '__proto__', 'yard 2'];

describe('the example for Home Assistant, with mosquitto', function () {
  this.timeout(120_000);
  let broker: Mosquitto;
  let nodeRed: NodeRed;
  let client: MqttClient;
  let port: number;
  const arrived = new EventTarget();
  const topics = new Map<string, Buffer>();

  before(async () => {
    port = await freePort();
    broker = await Mosquitto.start(port);
    client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
    client.on('message', (topic, payload) => {
      topics.set(topic, payload);
      arrived.dispatchEvent(new Event('message'));
    });
    await client.subscribeAsync(['homeassistant/#', 'm2fp/#'], { qos: 1 });
    const flows = example('15 Home Assistant').map((node): FlowNode =>
      node.type === 'mqtt-broker' ? { ...node, broker: '127.0.0.1', port } : node,
    );
    const picture = flows.find(({ id }) => id === 'm2fpe15injec0001')!;
    const camera = flows.find(({ type }) => type === 'm2fp-camera')!;
    const says = (id: string, topic: string, state: string): FlowNode => ({
      ...picture,
      id,
      topic,
      props: [{ p: 'payload' }, { p: 'topic', vt: 'str' }],
      payload: JSON.stringify({ camera: topic, state }),
      payloadType: 'json',
      // As the camera does.
      wires: [(camera['wires'] as string[][])[1]!],
    });
    nodeRed = await NodeRed.start(
      'node-red',
      [
        ...withZones(flows),
        ...Object.keys(ZONES).map((topic): FlowNode => ({ ...picture, id: `picture-${topic}`, topic })),
        ...NAMES.map((topic, index): FlowNode => ({ ...picture, id: `picture${index}`, topic })),
        ...NAMES.map((topic, index) => says(`online${index}`, topic, 'online')),
        says('offline', 'front door', 'offline'),
        says('online', 'front door', 'online'),
      ],
      { mqttReconnectTime: 200 },
    );
  });
  after(async () => {
    await client?.endAsync();
    await nodeRed?.stop();
    broker?.stop();
  });

  /** Resolves with what lies at `topic` when `wanted` accepts it. */
  async function payloadOf(topic: string, wanted: (payload: string) => boolean = Boolean): Promise<Buffer> {
    for (;;) {
      const payload = topics.get(topic);
      if (payload !== undefined && wanted(payload.toString())) return payload;
      await once(arrived, 'message');
    }
  }
  const jsonOf = async <T>(topic: string): Promise<T> => JSON.parse((await payloadOf(topic)).toString()) as T;

  /** What a client finds that comes later. */
  async function retained(): Promise<string[]> {
    const late = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
    const found: string[] = [];
    const all = new Promise<void>((resolve) => {
      late.on('message', (topic) => (topic === 'm2fp/end' ? resolve() : found.push(topic)));
    });
    await late.subscribeAsync(['homeassistant/#', 'm2fp/#'], { qos: 1 });
    // What is retained comes before what is published after the subscription.
    await late.publishAsync('m2fp/end', 'end', { qos: 1 });
    await all;
    await late.endAsync();
    return found.toSorted();
  }

  it('makes a device of a camera, as Home Assistant wants it', async () => {
    await nodeRed.inject('m2fpe15injec0001');
    const config = await jsonOf<Discovery>('homeassistant/device/m2fp_front_door/config');
    const validate = new Ajv({ allErrors: true }).compile(DEVICE_DISCOVERY);
    assert.ok(validate(config), JSON.stringify(validate.errors, null, 2));
    assert.deepEqual(
      Object.values(config.components)
        .map(({ platform }) => platform)
        .toSorted(),
      ['binary_sensor', 'image', 'sensor', 'sensor'],
    );
    for (const { topic } of config.availability)
      assert.equal((await payloadOf(topic)).toString(), 'online', topic);
  });

  it('tells in the topics that the device names who is there and what they wear', async () => {
    const config = await jsonOf<Discovery>('homeassistant/device/m2fp_front_door/config');
    const state = await jsonOf<Record<string, unknown>>(config.state_topic);
    assert.equal(state['presence'], 'ON');
    assert.equal(state['persons'], 2);
    assert.match(String(state['description']), /^[^;]+; [^;]+$/);
    // More letters are no state of an entity.
    assert.ok(String(state['description']).length <= 255);
    for (const { value_template: template } of Object.values(config.components)) {
      const name = template && /^\{\{ value_json\.(\w+) \}\}$/.exec(template)![1]!;
      if (name) assert.ok(name in state, name);
    }
    const image = Object.values(config.components).find(({ platform }) => platform === 'image')!.image_topic!;
    const { format, width } = await sharp(await payloadOf(image)).metadata();
    assert.deepEqual([format, width], ['jpeg', 448]);
  });

  it('leaves it all there for a Home Assistant that starts later', async () => {
    assert.deepEqual(await retained(), [
      'homeassistant/device/m2fp_front_door/config',
      'm2fp/front_door/availability',
      'm2fp/front_door/picture',
      'm2fp/front_door/state',
      'm2fp/status',
    ]);
  });

  it('is not available when Node-RED is killed, and is again when it is back', async () => {
    nodeRed.child.kill('SIGKILL');
    await payloadOf('m2fp/status', (payload) => payload === 'offline');
    await nodeRed.restart('SIGKILL');
    await payloadOf('m2fp/status', (payload) => payload === 'online');
  });

  const CONFIG = 'homeassistant/device/m2fp_front_door/config';
  const AVAILABILITY = 'm2fp/front_door/availability';

  it('makes a device of a camera that has said how it is, and sent no picture yet', async () => {
    topics.clear();
    await nodeRed.inject('offline');
    await payloadOf(CONFIG);
    assert.equal((await payloadOf(AVAILABILITY)).toString(), 'offline');
    await nodeRed.inject('online');
    await payloadOf(AVAILABILITY, (payload) => payload === 'online');
    await nodeRed.inject('m2fpe15injec0001');
    await payloadOf('m2fp/front_door/picture');
  });

  it('tells a broker that came back, and had kept nothing, all of it again', async () => {
    await broker.stopped();
    topics.clear();
    broker = await Mosquitto.start(port);
    await payloadOf(CONFIG);
    assert.equal((await payloadOf(AVAILABILITY)).toString(), 'online');
    await nodeRed.inject('m2fpe15injec0001');
    await payloadOf('m2fp/front_door/state');
    await payloadOf('m2fp/front_door/picture');
  });

  it('brings a camera back that sends pictures after it was removed', async () => {
    await nodeRed.inject('m2fpe15injec0002');
    await payloadOf(AVAILABILITY, (payload) => payload === '');
    topics.clear();
    await nodeRed.inject('m2fpe15injec0001');
    await payloadOf('m2fp/front_door/picture');
    await payloadOf('m2fp/front_door/state');
    await payloadOf(CONFIG);
    assert.equal((await payloadOf(AVAILABILITY)).toString(), 'online');
  });

  it('leaves a camera away that says it is gone after it was removed', async () => {
    await nodeRed.inject('m2fpe15injec0002');
    await payloadOf(AVAILABILITY, (payload) => payload === '');
    topics.clear();
    await nodeRed.inject('offline');
    // What comes last has come through the same node after it.
    await nodeRed.inject('online0');
    await payloadOf('homeassistant/device/m2fp_3769a8ff/config');
    assert.ok(!topics.has(CONFIG) && !topics.has(AVAILABILITY));
    await nodeRed.inject('online');
    await payloadOf(CONFIG);
  });

  it('tells cameras apart whose names differ', async () => {
    topics.clear();
    for (const index of NAMES.keys()) {
      await nodeRed.inject(`online${index}`);
      await nodeRed.inject(`picture${index}`);
    }
    const isPicture = (topic: string): boolean => topic.endsWith('/picture');
    const count = (): number => [...topics.keys()].filter(isPicture).length;
    while (count() < NAMES.length) await once(arrived, 'message');
    assert.equal(count(), NAMES.length);
    assert.ok(topics.has('m2fp/yard_2/picture'));
    for (const topic of [...topics.keys()].filter(isPicture))
      assert.match(topic, /^m2fp\/[a-z0-9_-]+\/picture$/);
  });

  it('tells the zones of each camera where each has a track node of its own', async () => {
    const zonesAt = async (camera: string): Promise<string[]> => {
      const state = await jsonOf<{ people: { zones: string[] }[] }>(`m2fp/${camera}/state`);
      return state.people.flatMap(({ zones }) => zones);
    };
    for (const [camera, zone] of Object.entries(ZONES)) {
      await nodeRed.inject(`picture-${camera}`);
      assert.deepEqual(await zonesAt(camera), [zone, zone]);
    }
    assert.deepEqual(await zonesAt('yard_2'), []);
  });

  it('takes a camera away for good', async () => {
    await nodeRed.inject('m2fpe15injec0002');
    for (const topic of ['config', 'state', 'picture', 'availability']) {
      const whole =
        topic === 'config' ? 'homeassistant/device/m2fp_front_door/config' : `m2fp/front_door/${topic}`;
      await payloadOf(whole, (payload) => payload === '');
    }
    assert.deepEqual(
      (await retained()).filter((topic) => /front_door\//.test(topic)),
      [],
    );
  });
});
