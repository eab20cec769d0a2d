/** Request and response of MQTT 5 with a real broker. */
import assert from 'node:assert/strict';
import mqtt from 'mqtt';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { mqttFlow } from '../support/mqtt-flow.ts';
import { freePort, NodeRed } from '../support/node-red.ts';
import { twoPeople } from '../support/images.ts';
import { Mosquitto } from './support/mosquitto.ts';

describe('MQTT 5 with mosquitto', function () {
  this.timeout(120_000);
  let broker: Mosquitto;
  let starting: Promise<NodeRed> | undefined;
  let port: number;

  before(async () => {
    port = await freePort();
    broker = await Mosquitto.start(port);
    const reply = [{ t: 'set', p: 'topic', pt: 'msg', to: 'responseTopic', tot: 'msg' }];
    starting = NodeRed.start('node-red', mqttFlow(port, 5, reply, reply));
    await starting;
    await broker.subscribed('picture/+');
  });
  after(async () => {
    // Also one that came up too late: mocha would wait for its end.
    await (await starting)?.stop();
    broker?.stop();
  });

  it('answers at the response topic, with the correlation data of the request', async () => {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
    try {
      await client.subscribeAsync('reply/1', { qos: 1 });
      const answers = new Map<string, string>();
      const both = new Promise<void>((resolve) => {
        client.on('message', (_topic, payload, { properties }) => {
          answers.set(String(properties?.correlationData), payload.toString());
          if (answers.size === 2) resolve();
        });
      });
      const ask = (payload: Buffer, name: string): Promise<unknown> =>
        client.publishAsync('picture/door', payload, {
          qos: 1,
          properties: { responseTopic: 'reply/1', correlationData: Buffer.from(name) },
        });
      await ask(twoPeople, 'a picture');
      await ask(Buffer.from('no picture'), 'a text');
      await both;
      const summary = JSON.parse(answers.get('a picture')!) as ParsingSummary;
      assert.equal(summary.width, 448);
      assert.ok(summary.persons.length > 0);
      assert.equal(answers.get('a text'), 'M2FP_UNSUPPORTED_FORMAT');
    } finally {
      await client.endAsync();
    }
  });
});
