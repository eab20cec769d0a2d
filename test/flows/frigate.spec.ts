/** The example for Frigate, with a server that answers as Frigate's documented HTTP API does. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { Ajv } from 'ajv';
import { type Broker, startBroker } from '../support/broker.ts';
import { debugSidebar } from '../support/debug-sidebar.ts';
import { twoPeople } from '../support/images.ts';
import { example, type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';

/** https://docs.frigate.video/integrations/api/schemas/eventssublabelbody */
const SUB_LABEL_BODY = {
  type: 'object',
  required: ['subLabel'],
  additionalProperties: false,
  properties: {
    subLabel: { type: 'string', minLength: 1, maxLength: 100 },
    subLabelScore: { type: ['number', 'null'], exclusiveMinimum: 0, maximum: 1 },
    camera: { type: ['string', 'null'] },
  },
};

/** As on https://docs.frigate.video/integrations/mqtt/#frigateevents, without what the flow has no use for. */
function trackedObject(id: string, changed: object = {}): object {
  return {
    id,
    camera: 'front_door',
    frame_time: 1607123961.837752,
    label: 'person',
    sub_label: null,
    top_score: 0.958984375,
    false_positive: false,
    start_time: 1607123955.475377,
    end_time: 1607123970.5,
    score: 0.7890625,
    box: [424, 500, 536, 712],
    current_zones: ['driveway'],
    entered_zones: ['yard', 'driveway'],
    has_snapshot: true,
    has_clip: false,
    ...changed,
  };
}

for (const version of VERSIONS) {
  describe(`the example for Frigate (${version})`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let broker: Broker;
    let frigate: Server;
    let client: MqttClient;
    let sidebar: Awaited<ReturnType<typeof debugSidebar>>;
    const asked: string[] = [];
    const labels: { path: string; body: unknown }[] = [];

    before(async () => {
      broker = await startBroker();
      const subscribed = new Promise<void>((resolve) => {
        broker.broker.on('subscribe', (subscriptions) => {
          if (subscriptions.some(({ topic }) => topic === 'frigate/events')) resolve();
        });
      });
      frigate = createServer((request, response) => {
        const path = request.url!;
        asked.push(`${request.method} ${path}`);
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          if (path.includes('missing')) {
            response.writeHead(404, { 'content-type': 'application/json' });
            response.end('{"success": false, "message": "Event not found"}');
          } else if (request.method === 'GET') {
            response.writeHead(200, { 'content-type': 'image/jpeg' }).end(twoPeople);
          } else {
            labels.push({ path, body: JSON.parse(Buffer.concat(chunks).toString()) });
            response.writeHead(200, { 'content-type': 'application/json' });
            response.end('{"success": true, "message": "set"}');
            frigate.emit('label');
          }
        });
      }).listen(0, '127.0.0.1');
      await once(frigate, 'listening');
      const address = `http://127.0.0.1:${(frigate.address() as AddressInfo).port}`;
      const flows = example('16 Frigate').map((node): FlowNode => {
        if (node.type === 'mqtt-broker') return { ...node, broker: '127.0.0.1', port: broker.port };
        return node.type === 'tab'
          ? { ...node, env: [{ name: 'FRIGATE', value: address, type: 'str' }] }
          : node;
      });
      nodeRed = await NodeRed.start(version, flows);
      sidebar = await debugSidebar(nodeRed.url);
      client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
      await subscribed;
    });
    after(async () => {
      await client?.endAsync();
      sidebar?.close();
      await nodeRed?.stop();
      await broker?.close();
      frigate?.close();
    });

    const tell = (type: string, after: object) =>
      client.publishAsync('frigate/events', JSON.stringify({ type, before: after, after }), { qos: 1 });

    it('says what a person wears, as Frigate takes a sub label', async () => {
      await tell('new', trackedObject('1-new'));
      await tell('end', trackedObject('2-car', { label: 'car' }));
      await tell('end', trackedObject('3-false', { false_positive: true }));
      await tell('end', trackedObject('4-none', { has_snapshot: false }));
      // Frigate's own: a face or a plate that it knows, with a score, or a text.
      await tell('end', trackedObject('5-john', { sub_label: ['John', 0.93] }));
      await tell('end', trackedObject('6-jane', { sub_label: 'Jane' }));
      await tell('end', trackedObject('1607123955.475377-mxklsc'));
      if (labels.length === 0) await once(frigate, 'label');
      assert.deepEqual(asked, [
        'GET /api/events/1607123955.475377-mxklsc/snapshot.jpg?crop=1',
        'POST /api/events/1607123955.475377-mxklsc/sub_label',
      ]);
      const body = labels[0]!.body as { subLabel: string };
      const validate = new Ajv().compile(SUB_LABEL_BODY);
      assert.ok(validate(body), JSON.stringify([body, validate.errors]));
      assert.match(body.subLabel, /shoes|trousers|coat|top|skirt|dress/);
    });

    it('shows what goes wrong, and goes on', async () => {
      await tell('end', trackedObject('missing'));
      await tell('end', trackedObject('after'));
      if (labels.length === 1) await once(frigate, 'label');
      assert.equal(labels[1]!.path, '/api/events/after/sub_label');
      assert.deepEqual(await sidebar.texts('m2fpe16debug0003', 1), [
        'No snapshot of missing: Frigate answered 404',
      ]);
    });

    it('gives each of many that end together its sub label', async () => {
      labels.length = 0;
      const ids = Array.from({ length: 14 }, (_, index) => `together-${index}`);
      for (const id of ids) await tell('end', trackedObject(id));
      while (labels.length < ids.length) await once(frigate, 'label');
      assert.deepEqual(
        labels.map(({ path }) => path).toSorted(),
        ids.map((id) => `/api/events/${id}/sub_label`).toSorted(),
      );
    });
  });
}
