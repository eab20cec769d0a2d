/** Pictures in and results out over MQTT 3.1.1, with a broker of our own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { example, type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import { twoPeople } from '../support/pictures.ts';

/** picture/<camera> -> infer -> parsing; errors -> error. */
function flow(port: number): FlowNode[] {
  const model = example('2 HTTP API').find(({ type }) => type === 'm2fp-model')!;
  const node = (type: string, id: string, wires: string[], properties: object): FlowNode => ({
    id,
    type,
    z: 'tab',
    ...properties,
    wires: [wires],
  });
  const out = { topic: '', qos: '1', retain: 'false', broker: 'broker' };
  return [
    model,
    { id: 'tab', type: 'tab', label: 'MQTT' },
    {
      id: 'broker',
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port,
      clientid: '',
      protocolVersion: '4',
      keepalive: '60',
      cleansession: true,
    },
    node('mqtt in', 'in', ['infer'], {
      topic: 'picture/+',
      qos: '1',
      datatype: 'buffer',
      broker: 'broker',
      inputs: 0,
    }),
    node('m2fp-infer', 'infer', ['answer'], {
      model: model.id,
      picture: 'payload',
      pictureType: 'msg',
      scoreThreshold: '',
    }),
    node('change', 'answer', ['out'], {
      rules: [
        { t: 'change', p: 'topic', pt: 'msg', from: 'picture', fromt: 'str', to: 'parsing', tot: 'str' },
      ],
    }),
    node('catch', 'catch', ['failure'], { scope: null, uncaught: false }),
    node('change', 'failure', ['out'], {
      rules: [
        { t: 'change', p: 'topic', pt: 'msg', from: 'picture', fromt: 'str', to: 'error', tot: 'str' },
        { t: 'set', p: 'payload', pt: 'msg', to: 'error.code', tot: 'msg' },
      ],
    }),
    node('mqtt out', 'out', [], out),
  ];
}

for (const version of VERSIONS) {
  describe(`an MQTT flow (${version})`, function () {
    this.timeout(40_000);
    let nodeRed: NodeRed;
    let close: () => Promise<void>;
    let port: number;

    before(async () => {
      const broker = await Aedes.createBroker();
      const server = createServer(broker.handle).listen(0, '127.0.0.1');
      await once(server, 'listening');
      ({ port } = server.address() as AddressInfo);
      close = async () => {
        await new Promise<void>((resolve) => broker.close(() => resolve()));
        await new Promise((resolve) => server.close(resolve));
      };
      const subscribed = new Promise<void>((resolve) => {
        broker.on('subscribe', (subscriptions) => {
          if (subscriptions.some(({ topic }) => topic === 'picture/+')) resolve();
        });
      });
      nodeRed = await NodeRed.start(version, flow(port));
      await subscribed;
    });
    after(async () => {
      await nodeRed?.stop();
      await close?.();
    });

    it('answers each camera under its own topic, and errors under theirs', async () => {
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
      try {
        await client.subscribeAsync(['parsing/#', 'error/#'], { qos: 1 });
        const answers = new Map<string, string>();
        const all = new Promise<void>((resolve) => {
          client.on('message', (topic, payload) => {
            answers.set(topic, payload.toString());
            if (answers.size === 3) resolve();
          });
        });
        await client.publishAsync('picture/door', twoPeople, { qos: 1 });
        await client.publishAsync('picture/broken', Buffer.from('no picture'), { qos: 1 });
        await client.publishAsync('picture/hall', twoPeople, { qos: 1 });
        setTimeout(()=>console.log(nodeRed.log, [...answers]),8000); await all;
        for (const camera of ['door', 'hall']) {
          const summary = JSON.parse(answers.get(`parsing/${camera}`)!) as ParsingSummary;
          assert.equal(summary.width, 224);
          assert.ok(summary.persons.length > 0);
        }
        assert.equal(answers.get('error/broken'), 'M2FP_UNSUPPORTED_FORMAT');
      } finally {
        await client.endAsync();
      }
    });
  });
}
