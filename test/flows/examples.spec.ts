/** The examples that the other specs do not run, all at once in a real Node-RED, from the packed package. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import sharp from 'sharp';
import type { Description } from '../../src/people/describe/describe.ts';
import { type Broker, startBroker } from '../support/broker.ts';
import { debugSidebar } from '../support/debug-sidebar.ts';
import { temporaryFolder } from '../support/installed-package.ts';
import { example, type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import { twoPeople, upload } from '../support/images.ts';
import { childrenOf } from '../support/processes.ts';
import { changed, dyed, emptyRoom, FACE, PANTS, pixelsOf } from '../support/sample.ts';

const NAMES = [
  '3 Parts',
  '4 Parsing service',
  '5 MQTT camera',
  '6 Folder watch',
  '7 Privacy',
  '9 Gallery',
  '11 Describe people',
  '13 Try-on masks',
  '14 Export annotations',
];

for (const version of VERSIONS) {
  describe(`the examples (${version})`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let broker: Broker;
    let sidebar: Awaited<ReturnType<typeof debugSidebar>>;
    const folder = temporaryFolder('watch');
    const [inbox, outbox] = [join(folder, 'in'), join(folder, 'out')];

    /** With the broker and the folders of this test. */
    const adapted = (node: FlowNode): FlowNode => {
      if (node.type === 'mqtt-broker') return { ...node, broker: '127.0.0.1', port: broker.port };
      if (node.type !== 'tab' || node['label'] !== 'Folder watch') return node;
      const folders = { IN: inbox, OUT: outbox };
      return {
        ...node,
        env: Object.entries(folders).map(([name, value]) => ({ name, value, type: 'str' })),
      };
    };

    before(async () => {
      broker = await startBroker();
      nodeRed = await NodeRed.start(version, NAMES.flatMap(example).map(adapted));
      sidebar = await debugSidebar(nodeRed.url);
    });
    after(async () => {
      sidebar?.close();
      await nodeRed?.stop();
      await broker?.close();
    });

    const get = (path: string) => fetch(nodeRed.url + path);

    it('start without a complaint', () => {
      assert.doesNotMatch(nodeRed.log, /missing node types|\[error\]/);
    });

    describe('11 Describe people', () => {
      it('tells what the two people of the sample wear', async () => {
        await nodeRed.inject('m2fp11injec00001');
        const [sentence] = await sidebar.texts('m2fp11debug00002', 1);
        assert.match(sentence!, /^2 people: .*(top|coat|dress).*; .*(top|coat|dress)/);
        const [data] = await sidebar.texts('m2fp11debug00003', 1);
        assert.deepEqual(
          (JSON.parse(data!) as Description).persons.map(({ id }) => id),
          [1, 2],
        );
      });
    });

    describe('14 Export annotations', () => {
      it('makes datasets of the sample in the user folder, and puts it there once', async () => {
        await nodeRed.inject('m2fpe14injec0001');
        await sidebar.texts('m2fpe14debug0001', 2);
        await nodeRed.inject('m2fpe14injec0001');
        const told = (await sidebar.texts('m2fpe14debug0001', 4))
          .slice(2)
          .map((text) => JSON.parse(text) as { outcome: string; folder: string; files: string[] });
        for (const { outcome, folder: path, files } of told) {
          assert.equal(outcome, 'replaced');
          assert.ok(path.startsWith(nodeRed.userDir));
          for (const file of files) assert.ok(statSync(file).isFile());
        }
        const labels = readFileSync(
          join(nodeRed.userDir, 'dataset-yolo/labels/train/two-people.txt'),
          'utf8',
        );
        assert.match(labels, /^(\d+( 0\.\d+| [01]){6,}\n)+$/);
        const coco = JSON.parse(
          readFileSync(join(nodeRed.userDir, 'dataset-coco/annotations/instances_train.json'), 'utf8'),
        ) as { images: object[]; annotations: object[] };
        assert.equal(coco.images.length, 1);
        assert.ok(coco.annotations.length > 4);
      });
    });

    describe('3 Parts', () => {
      it('puts the pictures of the parts together again', async () => {
        await nodeRed.inject('m2fpe3injec00001');
        const [all] = await sidebar.texts('m2fpe3debug00003', 1);
        const images = JSON.parse(all!) as unknown[];
        const parts = await sidebar.texts('m2fpe3debug00002', images.length);
        assert.ok(images.length > 4);
        const labels = parts.map((text) => (JSON.parse(text) as { label: string }).label);
        for (const label of ['Face', 'Hair', 'Pants']) assert.ok(labels.includes(label), labels.join());
      });
    });

    describe('5 MQTT camera', () => {
      let client: MqttClient;
      const arrived = new EventTarget();
      const events = new Map<string, unknown[]>();
      const of = <T>(topic: string) => (events.get(`people/${topic}`) ?? []) as T[];
      type Presence = { present: boolean; persons: number };
      type Wears = { track: number; wears: string; garments: { name: string; color: string; hex: string }[] };
      type Garments = { people: Wears[] };
      /** Colours of what the sample's dye changes. */
      const colorsOf = ({ people }: Garments) =>
        people.flatMap(({ garments }) =>
          garments
            .filter(({ name }) => ['top', 'coat', 'dress'].includes(name))
            .map(({ color, hex }) => ({ color, hex })),
        );

      /** Resolves with the events of `topic` when there are `count` of them. */
      async function eventsOf<T>(topic: string, count: number): Promise<T[]> {
        while (of(topic).length < count) await once(arrived, 'event');
        return of<T>(topic);
      }
      const show = (camera: string, image: Buffer) =>
        client.publishAsync(`camera/${camera}`, image, { qos: 1 });
      let passed = 0;
      /** Resolves when all pictures of before are done: another camera sees something for the first time. */
      async function untilDone(): Promise<void> {
        const camera = `barrier-${passed++}`;
        await show(camera, await emptyRoom);
        await eventsOf(`${camera}/presence`, 1);
        await eventsOf(`${camera}/garments`, 1);
      }

      before(async () => {
        client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
        client.on('message', (topic, payload) => {
          events.set(topic, [...(events.get(topic) ?? []), JSON.parse(payload.toString())]);
          arrived.dispatchEvent(new Event('event'));
        });
        await client.subscribeAsync('people/#', { qos: 1 });
      });
      after(() => client?.endAsync());

      it('tells the colours of garments, when they change', async () => {
        await show('door', await dyed([0.15, 0.25, 1]));
        const [blue] = await eventsOf<Garments>('door/garments', 1);

        assert.equal(blue!.people.length, 2);
        assert.ok(colorsOf(blue!).length > 0);
        for (const { color, hex } of colorsOf(blue!)) {
          assert.equal(color, 'blue');
          assert.match(hex, /^#[0-9a-f]{6}$/);
        }
        await show('door', await dyed([0.15, 0.25, 1]));
        await untilDone();
        assert.equal(of('door/garments').length, 1);
        await show('door', await dyed([0.15, 0.8, 0.2]));
        const [, green] = await eventsOf<Garments>('door/garments', 2);
        assert.ok(colorsOf(green!).length > 0);
        for (const { color } of colorsOf(green!)) assert.equal(color, 'green');
      });

      it('tells who comes', async () => {
        const told = await eventsOf<{ event: string; track: number }>('door/events', 2);
        assert.deepEqual(
          told.slice(0, 2).map(({ event, track }) => `${event} ${track}`),
          ['new 1', 'new 2'],
        );
      });

      it('tells who is there, when it changes and not for one empty picture', async () => {
        await show('hall', twoPeople);
        const [first] = await eventsOf<Presence>('hall/presence', 1);
        assert.ok(first!.present && first!.persons > 0);
        await show('hall', await emptyRoom);
        await untilDone();
        await show('hall', await emptyRoom);
        await untilDone();
        assert.equal(of('hall/presence').length, 1);
        await show('hall', await emptyRoom);
        const [, gone] = await eventsOf<Presence>('hall/presence', 2);
        assert.deepEqual(gone, { present: false, persons: 0 });
        const late = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
        const retained = new Promise((resolve) => {
          late.once('message', (_topic, payload) => resolve(JSON.parse(payload.toString())));
        });
        await late.subscribeAsync('people/hall/presence');
        assert.deepEqual(await retained, gone);
        await late.endAsync();
      });

      it('tells errors under their camera', async () => {
        await show('broken', Buffer.from('no picture'));
        const [error] = await eventsOf<{ code: string; message: string }>('broken/error', 1);
        assert.equal(error!.code, 'M2FP_UNSUPPORTED_FORMAT');
      });

      (process.platform === 'win32' ? it.skip : it)(
        'keeps only the latest picture, and counts the others',
        async () => {
          const [engine] = childrenOf(nodeRed.child.pid!);
          process.kill(engine!, 'SIGSTOP');
          try {
            // One runs, one waits; two newer ones take its place.
            for (let sent = 0; sent < 4; sent++) await show('fast', twoPeople);
            const dropped = await eventsOf('fast/dropped', 2);
            assert.deepEqual(dropped, [
              { dropped: 1, reason: 'replaced' },
              { dropped: 2, reason: 'replaced' },
            ]);
          } finally {
            process.kill(engine!, 'SIGCONT');
          }
          await untilDone();
          assert.equal(of('fast/dropped').length, 2);
        },
      );

      it('works without a camera, too', async () => {
        await nodeRed.inject('m2fpe5injec00001');
        await eventsOf('door/garments', 3);
      });
    });

    describe('6 Folder watch', () => {
      it('makes its folders, in the user folder where their names have no path', async () => {
        assert.ok(statSync(inbox).isDirectory() && statSync(outbox).isDirectory());
        const asItIs = await NodeRed.start(version, example('6 Folder watch'));
        const debug = await debugSidebar(asItIs.url);
        try {
          await asItIs.inject('m2fpe6injec00001');
          const path = await debug.text('m2fpe6debug00001', (text) => text.includes('person-1-hair'));
          assert.ok(path.startsWith(join(asItIs.userDir, 'm2fp-out', 'two-people')), path);
          assert.deepEqual(readdirSync(join(asItIs.userDir, 'm2fp-in')), ['two-people.jpg']);
        } finally {
          debug.close();
          await asItIs.stop();
        }
      });

      /** The files that were written below `image`, when a picture that came after it is written, too. */
      async function cropsOf(image: string): Promise<string[]> {
        const next = `after-${image}`;
        writeFileSync(join(inbox, `${next}.png`), twoPeople);
        await sidebar.text('m2fpe6debug00001', (path) => path.includes(`/${next}/`));
        const files = readdirSync(join(outbox, image));
        const written = await sidebar.texts('m2fpe6debug00001', 1);
        assert.equal(written.filter((path) => path.includes(`/${image}/`)).length, files.length);
        return files;
      }

      it('writes the parts of a picture that comes in', async () => {
        await nodeRed.inject('m2fpe6injec00001');
        await sidebar.text('m2fpe6debug00001', (path) => path.includes('/two-people/'));
        const files = await cropsOf('two-people');
        assert.ok(files.includes('person-1-hair.png'), files.join());
        for (const file of files) {
          const { format } = await sharp(join(outbox, 'two-people', file)).metadata();
          assert.equal(format, 'png');
        }
        assert.deepEqual(readdirSync(inbox).toSorted(), ['after-two-people.png', 'two-people.jpg']);
      });

      it('goes on after a file that is no picture, and leaves other files alone', async () => {
        writeFileSync(join(inbox, 'notes.txt'), 'not for the model');
        writeFileSync(join(inbox, 'broken.jpg'), 'not a picture');
        const [error] = await sidebar.texts('m2fpe6debug00002', 1);
        assert.match(error!, /M2FP_UNSUPPORTED_FORMAT/);
        writeFileSync(join(inbox, 'second.one.png'), twoPeople);
        await sidebar.text('m2fpe6debug00001', (path) => path.includes('/second.one/'));
        assert.ok((await cropsOf('second.one')).length > 4);
        assert.equal((await sidebar.texts('m2fpe6debug00002', 1)).length, 1);
        const folders = ['two-people', 'second.one'].flatMap((name) => [name, `after-${name}`]);
        assert.deepEqual(readdirSync(outbox).toSorted(), folders.toSorted());
      });
    });

    describe('7 Privacy', () => {
      const publicImage = async () => Buffer.from(await (await get('/m2fp/public')).arrayBuffer());

      it('publishes nothing before there is something', async () => {
        assert.equal((await get('/m2fp/public')).status, 404);
      });

      it('publishes a picture without its faces and without its metadata', async () => {
        const jpeg = await sharp(twoPeople)
          .withExif({ IFD0: { Artist: 'a name' }, IFD3: { GPSLatitudeRef: 'N' } })
          .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
          .toBuffer();
        const response = await nodeRed.post('/m2fp/private', upload(jpeg));
        assert.deepEqual(await response.json(), { published: true });
        const published = await get('/m2fp/public');
        assert.equal(published.headers.get('content-type'), 'image/jpeg');
        const image = Buffer.from(await published.arrayBuffer());
        assert.ok(!image.includes('a name'));
        assert.equal((await sharp(image).metadata()).exif, undefined);

        const [before, after] = [await pixelsOf(jpeg), await pixelsOf(image)];
        assert.equal(after.length, before.length);
        const [faces, pants] = [await changed(before, after, FACE), await changed(before, after, PANTS)];
        assert.ok(faces > 0.6, `faces: ${faces}`);
        assert.ok(pants < 0.1, `pants: ${pants}`);
      });

      it('does not publish a picture in which nobody was found, and says so', async () => {
        const before = await publicImage();
        const response = await nodeRed.post('/m2fp/private', upload(await emptyRoom));
        assert.deepEqual(await response.json(), { published: false, reason: 'nobody' });
        assert.deepEqual(await publicImage(), before);
      });

      it('answers what is no picture, and warns of no missing answer after the button', async () => {
        const response = await nodeRed.post('/m2fp/private', upload(Buffer.from('a text')));
        assert.equal(response.status, 415);
        const before = await publicImage();
        await nodeRed.inject('m2fpe7injec00001');
        while ((await publicImage()).equals(before));
        assert.doesNotMatch(nodeRed.log, /No response object/);
      });

      it('keeps the original nowhere', () => {
        const kept = example('7 Privacy').filter(({ func }) =>
          /(flow|global|context)\.set/.test(String(func)),
        );
        assert.deepEqual(
          kept.map(({ name }) => name),
          ['only the redacted'],
        );
      });
    });

    describe('13 Try-on masks', () => {
      const ask = (query: string, image: Buffer = twoPeople) =>
        nodeRed.post(`/m2fp/mask${query}`, upload(image));
      const white = async (response: Response): Promise<number> => {
        assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'image/png']);
        const mask = sharp(Buffer.from(await response.arrayBuffer()));
        const { channels, depth, width, height } = await mask.metadata();
        assert.deepEqual(
          { channels, depth, width, height },
          { channels: 1, depth: 'uchar', width: 448, height: 448 },
        );
        const pixels = await mask.extractChannel(0).raw().toBuffer();
        assert.ok(pixels.every((value) => value === 0 || value === 255));
        return pixels.filter((value) => value === 255).length;
      };

      it('answers with the mask that was asked for', async () => {
        const upper = await white(await ask(''));
        const dress = await white(await ask('?mask.garment=dress'));
        const near = await white(await ask('?mask.recipe=idm-vton'));
        assert.ok(
          near > 1000 && near !== upper && upper > 1000 && upper < dress,
          `${near}, ${upper}, ${dress}`,
        );
      });

      it('says what it answers with', async () => {
        const types: Record<string, string> = {
          'output=agnostic': 'image/png',
          'output=agnostic&mask.format=jpeg': 'image/jpeg',
          'output=all': 'application/json; charset=utf-8',
        };
        for (const [query, type] of Object.entries(types)) {
          const response = await ask(`?mask.${query}`);
          assert.deepEqual([response.status, response.headers.get('content-type')], [200, type], query);
          const body = Buffer.from(await response.arrayBuffer());
          if (type.startsWith('image/')) assert.equal(`image/${(await sharp(body).metadata()).format}`, type);
          else
            assert.deepEqual(Object.keys(JSON.parse(String(body)) as object), ['mask', 'agnostic', 'image']);
        }
      });

      it('says what is wrong as JSON', async () => {
        const hat = await ask('?mask.garment=hat');
        assert.equal(hat.status, 400);
        const nobody = await ask('', await emptyRoom);
        assert.equal(nobody.status, 404);
        const { error } = (await nobody.json()) as { error: { code: string } };
        assert.equal(error.code, 'M2FP_NOTHING_FOUND');
      });
    });

    describe('9 Gallery', () => {
      const figures = (page: string) =>
        [...page.matchAll(/<img alt="([^"]*)" src="data:image\/jpeg;base64,([^"]+)"/g)].map((match) => ({
          alt: match[1]!,
          image: Buffer.from(match[2]!, 'base64'),
        }));
      const gallery = async (query = '') => (await get(`/m2fp/gallery${query}`)).text();

      it('is empty at first', async () => {
        assert.match(await gallery(), /Nobody yet/);
      });

      it('shows a picture of each person that was uploaded', async () => {
        const response = await nodeRed.post('/m2fp/gallery', upload(twoPeople));
        assert.equal(response.status, 303);
        const target = new URL(response.headers.get('location')!, `${nodeRed.url}/m2fp/gallery`);
        assert.equal(target.pathname, '/m2fp/gallery');
        const shown = figures(await gallery());
        assert.ok(shown.length >= 2, `${shown.length} persons`);
        for (const { alt, image } of shown) {
          assert.match(alt, /^Person \d+, .+: .*hair/);
          const { format, width, height } = await sharp(image).metadata();
          assert.deepEqual({ format, width, height }, { format: 'jpeg', width: 240, height: 320 });
        }
      });

      it('keeps the last 24 at most', async () => {
        for (let sent = 0; sent < 14; sent++) await nodeRed.post('/m2fp/gallery', upload(twoPeople));
        assert.equal(figures(await gallery()).length, 24);
      });

      it('says on the page what went wrong', async () => {
        const nobody = await nodeRed.post('/m2fp/gallery', upload(await emptyRoom));
        assert.match(
          await gallery(new URL(nobody.headers.get('location')!, nodeRed.url).search),
          /Nobody was found/,
        );
        const response = await nodeRed.post('/m2fp/gallery', upload(Buffer.from('a text')));
        assert.equal(response.status, 415);
        const page = await response.text();
        assert.match(page, /role="alert">That did not work[^<]*: [A-Z]/);
        assert.equal(figures(page).length, 24, 'and the gallery is still there');
      });
    });

    describe('all of them', () => {
      it('leave no error in the log but those that were asked for', () => {
        assert.match(nodeRed.log, /Nobody was found/);
        assert.doesNotMatch(nodeRed.log, /TypeError|ReferenceError|No response object/);
      });
    });
  });
}
