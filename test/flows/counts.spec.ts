/** One photo, many ways: whoever counts its people and parts counts the same. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { type Broker, startBroker } from '../support/broker.ts';
import { installedPackage, root } from '../support/installed-package.ts';
import { example, NodeRed } from '../support/node-red.ts';
import { upload } from '../support/images.ts';

/** Those of the model's card. */
const PHOTOS = ['astronaut', 'camera', 'chelsea', 'coffee'];

describe('one minimum score', function () {
  this.timeout(60_000);
  let nodeRed: NodeRed;
  let broker: Broker;
  let statuses: Awaited<ReturnType<NodeRed['statuses']>>;

  before(async () => {
    broker = await startBroker();
    const flows = ['2 HTTP API', '4 Parsing service', '5 MQTT camera'].flatMap(example);
    nodeRed = await NodeRed.start(
      'node-red',
      flows.map((node) =>
        node.type === 'mqtt-broker' ? { ...node, broker: '127.0.0.1', port: broker.port } : node,
      ),
    );
    statuses = await nodeRed.statuses();
  });
  after(async () => {
    statuses?.close();
    await nodeRed?.stop();
    await broker?.close();
  });

  const counts = ({ persons, parts, shares }: ParsingSummary) => ({
    persons: persons.length,
    parts: parts.length,
    labels: Object.keys(shares).filter((label) => label !== 'Background'),
  });

  for (const name of PHOTOS) {
    it(`has the same people and parts in all that is made of the photo "${name}"`, async () => {
      const file = join(root, 'docs', 'card', 'photos', `${name}.jpg`);
      const photo = readFileSync(file);
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
      try {
        const status = statuses.next(
          'm2fpe2infer00001',
          ({ fill, text }) => fill === 'green' && /person|people/.test(text ?? ''),
        );
        const answer = await nodeRed.post('/parse', upload(photo));
        const ofHttp = counts((await answer.json()) as ParsingSummary);

        const page = await nodeRed.post('/m2fp/api/parse', upload(photo));
        assert.deepEqual(counts((await page.json()) as ParsingSummary), ofHttp);

        const program = join(installedPackage().folder, 'dist', 'cli', 'm2fp.js');
        const printed = execFileSync(process.execPath, [program, 'parse', file], { encoding: 'utf8' });
        assert.deepEqual(counts(JSON.parse(printed) as ParsingSummary), ofHttp);

        assert.match((await status).text!, new RegExp(`^${ofHttp.persons} (person|people)`));

        await client.subscribeAsync(`people/${name}/presence`);
        const presence = new Promise<Buffer>((resolve) => {
          client.once('message', (_topic, payload) => resolve(payload));
        });
        await client.publishAsync(`camera/${name}`, photo, { qos: 1 });
        const { persons } = JSON.parse((await presence).toString()) as { persons: number };
        assert.equal(persons, ofHttp.persons);
      } finally {
        await client.endAsync();
      }
    });
  }
});
