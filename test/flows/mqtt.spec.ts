/** Pictures in and results out over MQTT 3.1.1, with a broker of our own. */
import assert from 'node:assert/strict';
import mqtt from 'mqtt';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { type Broker, startBroker } from '../support/broker.ts';
import { mqttFlow, topicRule } from '../support/mqtt-flow.ts';
import { NodeRed, VERSIONS } from '../support/node-red.ts';
import { twoPeople } from '../support/images.ts';

for (const version of VERSIONS) {
  describe(`an MQTT flow (${version})`, function () {
    this.timeout(40_000);
    let nodeRed: NodeRed;
    let mqttBroker: Broker;

    before(async () => {
      mqttBroker = await startBroker();
      const { broker, port } = mqttBroker;
      const subscribed = new Promise<void>((resolve) => {
        broker.on('subscribe', (subscriptions) => {
          if (subscriptions.some(({ topic }) => topic === 'picture/+')) resolve();
        });
      });
      nodeRed = await NodeRed.start(version, mqttFlow(port, 4, [topicRule('parsing')], [topicRule('error')]));
      await subscribed;
    });
    after(async () => {
      await nodeRed?.stop();
      await mqttBroker?.close();
    });

    it('answers each camera under its own topic, and errors under theirs', async () => {
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${mqttBroker.port}`);
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
        await all;
        for (const camera of ['door', 'hall']) {
          const summary = JSON.parse(answers.get(`parsing/${camera}`)!) as ParsingSummary;
          assert.equal(summary.width, 448);
          assert.ok(summary.persons.length > 0);
        }
        assert.equal(answers.get('error/broken'), 'M2FP_UNSUPPORTED_FORMAT');
      } finally {
        await client.endAsync();
      }
    });
  });
}
