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
    nodeRed = await NodeRed.start('node-red', flows);
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

  it('takes a camera away for good', async () => {
    await nodeRed.inject('m2fpe15injec0002');
    for (const topic of ['config', 'state', 'picture', 'availability']) {
      const whole =
        topic === 'config' ? 'homeassistant/device/m2fp_front_door/config' : `m2fp/front_door/${topic}`;
      await payloadOf(whole, (payload) => payload === '');
    }
    assert.deepEqual(await retained(), ['m2fp/status']);
  });
});
