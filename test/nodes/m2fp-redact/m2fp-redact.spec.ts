import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import sharp from 'sharp';
import type { RedactOptions } from '../../../src/parsing/redact/redact-options.ts';
import { redact } from '../../../src/parsing/redact/redact.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { parsingOf } from '../../parsing/scene.ts';
import { exampleParsing } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { type Events, nodeOf, send, startFlow, stopFlow } from '../support/red.ts';

describe('m2fp-redact', () => {
  let parsing: Parsing;

  const start = (properties = {}): Promise<Events> =>
    startFlow([nodeConfig('m2fp-redact', 'node', properties)]);

  beforeEach(async () => {
    parsing = await exampleParsing();
  });
  afterEach(stopFlow);

  it('sends the redacted picture on, and the original in no property of the message', async () => {
    const events = await start();
    const original = parsing.image;
    send({ payload: { persons: [] }, parsing, topic: 'x' });
    await events.ended();
    const [sent] = events.sent;
    const expected = await redact(parsing, { labels: ['Hair'] });
    assert.deepEqual(sent!.payload, expected.image);
    assert.deepEqual(sent!['parsing'], { ...parsing, image: expected.image });
    assert.equal(sent!['topic'], 'x');
    assert.equal(parsing.image, original, 'nothing is written into the parsing that came in');
    assert.deepEqual(notPlain(sent), []);
  });

  it('leaves the original in the parsing where it shall', async () => {
    const events = await start({ replaceSource: false });
    send({ parsing });
    await events.ended();
    assert.equal(events.sent[0]!['parsing'], parsing);
  });

  const asTheFormSays: [properties: object, options: RedactOptions | 'all parts'][] = [
    [{ labels: 'Coat' }, { labels: ['Coat'] }],
    [{ labels: '' }, 'all parts'],
    [
      { labels: 'Coat', inverse: true },
      { labels: ['Coat'], inverse: true },
    ],
    [
      { method: 'pixelate', cells: '2' },
      { method: 'pixelate', cells: 2 },
    ],
    [
      { method: 'fill', color: '#ff0000', grow: '1' },
      { method: 'fill', color: '#ff0000', grow: 1 },
    ],
    [
      { method: 'recolor', labels: 'Coat', color: '#00ff00' },
      { method: 'recolor', labels: ['Coat'], color: '#00ff00' },
    ],
    [{ method: 'remove' }, { method: 'remove' }],
    [
      { persons: ' 1 ', grow: 0 },
      { persons: [1], grow: 0 },
    ],
    [
      { minScore: 0.99, grow: 0 },
      { minScore: 0.99, grow: 0 },
    ],
    [
      { format: 'jpeg', quality: '30' },
      { format: 'jpeg', quality: 30 },
    ],
  ];
  for (const [properties, options] of asTheFormSays) {
    it(`redacts as its form says: ${JSON.stringify(properties)}`, async () => {
      const parts = parsing.labels.filter((label) => label !== 'Background' && label !== 'Human');
      const events = await start(properties);
      send({ parsing });
      await events.ended();
      assert.deepEqual(events.caught, []);
      const own = options === 'all parts' ? { labels: parts } : options;
      const expected = await redact(parsing, { labels: ['Hair'], ...own });
      assert.deepEqual(events.sent[0]!.payload, expected.image);
    });
  }

  it('does what the message asks for', async () => {
    const events = await start();
    send({ parsing, m2fp: { method: 'fill', labels: ['Coat'], redact: { grow: 2 } } });
    await events.ended();
    const expected = await redact(parsing, { method: 'fill', labels: ['Coat'], grow: 2 });
    assert.deepEqual(events.sent[0]!.payload, expected.image);
  });

  it('reads and writes the properties that its form names', async () => {
    const events = await start({ parsing: 'a.b', result: 'c.d' });
    send({ payload: 'kept', a: { b: parsing } });
    await events.ended();
    const [sent] = events.sent;
    assert.equal(sent!.payload, 'kept');
    assert.ok(Buffer.isBuffer((sent!['c'] as { d: unknown }).d));
  });

  describe('with nobody in the picture', () => {
    let empty: Parsing;
    beforeEach(async () => {
      empty = await parsingOf({ width: 4, height: 4, labels: parsing.labels });
    });

    it('sends the picture on and says so', async () => {
      const events = await start();
      send({ parsing: empty });
      await events.ended();
      await events.until(() => events.statuses.some(({ text }) => text === 'nobody found'));
      assert.equal(events.sent.length, 1);
    });

    it('redacts all of it', async () => {
      const events = await start({ nobody: 'all', method: 'fill' });
      send({ parsing: empty });
      await events.ended();
      const expected = await redact(empty, { method: 'fill', nobody: 'all' });
      assert.equal(expected.area, 16);
      assert.deepEqual(events.sent[0]!.payload, expected.image);
    });

    it('sends the message as it came to the second output', async () => {
      const events = await start({ nobody: 'drop', wires: [['out'], ['out2']] });
      const msg = { parsing: empty, payload: 'kept' };
      send(msg);
      await events.until(() => events.sentOnSecondWire.length > 0 && events.done.length > 0);
      assert.equal(events.sentOnSecondWire[0]!.payload, 'kept');
      assert.equal(events.sentOnSecondWire[0]!['dropped'], 'nobody');
      assert.deepEqual(events.sent, []);
    });
  });

  describe('with somebody on whom no chosen part was found', () => {
    let uncovered: Parsing;
    beforeEach(async () => {
      const rows = ['....', '.##.', '.##.', '....'];
      uncovered = await parsingOf({ width: 4, height: 4, labels: parsing.labels, persons: [{ rows }] });
    });

    for (const [properties, m2fp] of [
      [{}, {}],
      [{ uncovered: undefined }, {}],
      [{ uncovered: 'pass' }, { redact: { uncovered: 'person' } }],
    ] as const) {
      it(`hides the person, tells who it is, and is yellow: ${inspect(properties)}, ${JSON.stringify(m2fp)}`, async () => {
        const events = await start({ method: 'fill', grow: 0, ...properties });
        send({ parsing: uncovered, m2fp });
        await events.ended();
        await events.until(() =>
          events.statuses.some(({ fill, text }) => fill === 'yellow' && /1 uncovered/.test(text!)),
        );
        const expected = await redact(uncovered, { labels: ['Hair'], method: 'fill', grow: 0 });
        assert.equal(expected.area, 4);
        assert.deepEqual(events.sent[0]!.payload, expected.image);
        assert.deepEqual(events.sent[0]!['redacted'], {
          area: 4,
          persons: [1],
          uncovered: [1],
          left: [],
          missing: [],
          kept: [],
          boxes: [{ person: 1, track: null, x: 1, y: 1, width: 2, height: 2 }],
          csv: 'person,track,x,y,width,height\r\n1,,1,1,2,2\r\n',
        });
      });
    }

    it('sends the message as it came to the second output, with the reason', async () => {
      const events = await start({ uncovered: 'drop', wires: [['out'], ['out2']] });
      send({ parsing: uncovered, payload: 'kept' });
      await events.until(() => events.sentOnSecondWire.length > 0 && events.done.length > 0);
      const [dropped] = events.sentOnSecondWire;
      assert.equal(dropped!.payload, 'kept');
      assert.equal(dropped!['dropped'], 'uncovered');
      assert.deepEqual((dropped!['redacted'] as { uncovered: number[] }).uncovered, [1]);
      assert.equal(dropped!['parsing'], uncovered);
      assert.deepEqual(events.sent, []);
    });

    it('leaves the person where it shall, and still tells', async () => {
      const events = await start({ uncovered: 'pass' });
      send({ parsing: uncovered });
      await events.ended();
      assert.deepEqual(events.sent[0]!['redacted'], {
        area: 0,
        persons: [],
        uncovered: [1],
        left: [],
        missing: [],
        kept: [],
        boxes: [],
        csv: 'person,track,x,y,width,height\r\n',
      });
    });

    it('gives "nobody" the first word, where only doubtful people are there', async () => {
      const doubtful = { ...uncovered, persons: [], doubtful: { persons: uncovered.persons, parts: [] } };
      const events = await start({ nobody: 'drop', uncovered: 'drop', wires: [['out'], ['out2']] });
      send({ parsing: doubtful });
      await events.until(() => events.sentOnSecondWire.length > 0);
      assert.equal(events.sentOnSecondWire[0]!['dropped'], 'nobody');
    });
  });

  it('leaves out the parts that only other models have', async () => {
    const events = await start({ labels: 'Hair,Jumpsuits,Head' });
    send({ parsing });
    await events.ended();
    assert.deepEqual(events.sent[0]!.payload, (await redact(parsing, { labels: ['Hair'] })).image);
  });

  for (const [name, msg, properties, code] of [
    ['a message without a parsing', {}, {}, 'M2FP_NO_PARSING'],
    ['parts of which the model has none', null, { labels: 'Head,Torso' }, 'M2FP_BAD_OPTION'],
    ['a misspelt part', null, { labels: 'Hair,Tail' }, 'M2FP_BAD_OPTION'],
    ['persons that are none', null, { persons: 'all' }, 'M2FP_BAD_OPTION'],
    ['no part at all', null, { labels: 'none' }, 'M2FP_BAD_OPTION'],
    ['a transparent JPEG', null, { method: 'remove', format: 'jpeg' }, 'M2FP_BAD_OPTION'],
    ['an unknown way with nobody', null, { nobody: 'burn' }, 'M2FP_BAD_OPTION'],
    ['an unknown way with the uncovered', null, { uncovered: 'burn' }, 'M2FP_BAD_OPTION'],
  ] as const) {
    it(`ends ${name} in ${code}, and sends nothing`, async () => {
      const events = await start(properties);
      send(msg === null ? { parsing } : { ...msg });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, code);
      assert.equal(events.caught[0]!.statusCode, 400);
      assert.deepEqual(events.sent, []);
    });
  }

  describe('with a picture that cannot be redacted', () => {
    it('ends in an error where the form says nothing else', async () => {
      const events = await start();
      send({ payload: Buffer.from('original') });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_NO_PARSING');
      assert.deepEqual(events.sent, []);
    });

    it('sends a black frame in its place where it shall, and nothing of what came', async () => {
      const events = await start({ failed: 'placeholder', format: 'png', result: 'shown' });
      send({
        topic: 'door',
        payload: Buffer.from('original'),
        parsing: { image: Buffer.from('x'), width: 320, height: 200 },
      });
      await events.ended();
      await events.until(() => events.statuses.some(({ text }) => text === 'picture not shown'));
      const [message] = events.sent;
      const { width, height } = await sharp(message!['shown'] as Buffer).metadata();
      assert.deepEqual([width, height], [320, 200]);
      assert.deepEqual(message!.payload, message!['shown']);
      assert.equal('parsing' in message!, false);
      assert.equal(message!.topic, 'door');
      assert.deepEqual(message!['redacted'], { placeholder: true, reason: 'M2FP_NO_PARSING' });
      const { channels } = await sharp(message!['shown'] as Buffer).stats();
      assert.ok(
        channels.every(({ min, max, mean }) => min === 0 && max >= 190 && mean < 30),
        'no text on black',
      );
    });

    it('is sent, too, where a property of the parsing throws when it is read', async () => {
      const events = await start({ failed: 'placeholder' });
      const boom = (name: string, other: object = {}): { [name: string]: unknown } =>
        Object.defineProperty({ ...other }, name, {
          enumerable: true,
          configurable: true,
          get: () => {
            throw new Error('boo');
          },
        });
      const whole = await exampleParsing();
      for (const name of ['image', 'width', 'persons', 'doubtful']) send({ parsing: boom(name, whole) });
      send(boom('parsing'));
      await events.ended(5);
      assert.deepEqual(
        events.sent.map(({ redacted }) => redacted),
        Array.from({ length: 5 }, () => ({ placeholder: true, reason: 'M2FP_NO_PARSING' })),
      );
      send(boom('payload', { parsing: whole }));
      send({ payload: boom('zones'), parsing: whole });
      await events.ended(7);
      assert.deepEqual(events.caught, []);
    });

    it('still fails for a wrong option', async () => {
      const events = await start({ failed: 'placeholder' });
      send({ parsing: await exampleParsing(), m2fp: { keep: 'somebody' } });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
    });
  });

  describe('with a picture laid over people', () => {
    const blue = () =>
      sharp({ create: { width: 2, height: 2, channels: 3, background: '#0000ff' } })
        .png()
        .toBuffer();

    it('takes it from the file of the form', async () => {
      const file = join(mkdtempSync(join(tmpdir(), 'm2fp-overlay-')), 'blue.png');
      writeFileSync(file, await blue());
      const events = await start({
        method: 'picture',
        overlay: file,
        labels: 'Hair',
        grow: 0,
        format: 'png',
      });
      send({ parsing: await exampleParsing() });
      await events.ended();
      const { data } = await sharp(events.sent[0]!.payload as Buffer)
        .raw()
        .toBuffer({ resolveWithObject: true });
      assert.deepEqual([...data.subarray(0, 3)], [0, 0, 255]);
      rmSync(dirname(file), { recursive: true });
    });

    it('takes it from the message, which can name no file', async () => {
      const events = await start({ method: 'picture', labels: 'Hair', grow: 0, format: 'png' });
      send({ parsing: await exampleParsing(), m2fp: { overlay: (await blue()).toString('base64') } });
      send({ parsing: await exampleParsing(), m2fp: { overlay: '/etc/hostname' } });
      send({ parsing: await exampleParsing() });
      await events.ended(3);
      assert.equal(events.sent.length, 1);
      assert.equal(events.caught.length, 2);
    });

    it('tells which file of the form cannot be read', async () => {
      const events = await start({ method: 'picture', overlay: '/nowhere/at/all.png' });
      send({ parsing: await exampleParsing() });
      await events.ended();
      assert.match(events.caught[0]!.error.message, /\/nowhere\/at\/all\.png, cannot be read: ENOENT/);
    });
  });

  it('keeps who stands in a zone, by the state of a track node', async () => {
    const events = await start({ method: 'fill', grow: 0, keep: 'zone Door', labels: 'Hair' });
    const state = { zones: { Door: { inside: 1 } }, persons: [{ id: 2, track: 5, zones: ['Door'] }] };
    send({ parsing: await exampleParsing(), payload: state });
    await events.ended();
    const { persons, kept } = events.sent[0]!['redacted'] as { persons: number[]; kept: number[] };
    assert.deepEqual([persons, kept], [[1], [2]]);
  });

  it('keeps nobody of a zone whose name is written otherwise, and says so once', async () => {
    const events = await start({ method: 'fill', grow: 0, keep: 'zone Door', labels: 'Hair' });
    const warnings: unknown[] = [];
    nodeOf('node').warn = (text) => warnings.push(text);
    const stateOf = (...names: string[]) => ({
      zones: Object.fromEntries(names.map((name) => [name, { inside: 1 }])),
      persons: [{ id: 2, track: 5, zones: ['door'] }],
    });
    for (const names of [['door', 'Door'], ['yard'], ['door'], ['door']])
      send({ parsing: await exampleParsing(), payload: stateOf(...names) });
    await events.ended(4);
    for (const { redacted } of events.sent) assert.deepEqual((redacted as { kept: number[] }).kept, []);
    assert.equal(warnings.length, 1);
    assert.match(String(warnings[0]), /zone "Door".+"door".+letter by letter/);
  });

  describe('behind a track node that several cameras share', () => {
    /** As the track node sends it: persons 1 and 2 with these numbers, each topic numbered from 1. */
    const tracked = async (topic: string): Promise<{ topic: string; parsing: object }> => {
      const received = await exampleParsing();
      const persons = received.persons.map((person, i) => ({ ...person, track: i + 1 }));
      return { topic: 'all', parsing: { ...received, persons, topic } };
    };

    it('keeps a number of the topic that was named, and of no other', async () => {
      const events = await start({ method: 'fill', labels: 'Hair', keep: 'track 1 of yard' });
      for (const topic of ['yard', 'door']) send(await tracked(topic));
      await events.ended(2);
      const kept = events.sent.map(({ redacted }) => (redacted as { kept: number[] }).kept);
      assert.deepEqual(kept, [[1], []]);
    });

    it('refuses a number alone also where the second topic has nobody but the doubtful', async () => {
      const events = await start({ method: 'fill', labels: 'Hair', keep: 'track 1' });
      send(await tracked('yard'));
      const { topic, parsing: ofDoor } = await tracked('door');
      const { persons, parts } = ofDoor as Parsing;
      const doubtful = { persons, parts: parts.filter(({ person }) => person !== null) };
      const others = parts.filter(({ person }) => person === null);
      send({ topic, parsing: { ...ofDoor, persons: [], parts: others, doubtful } });
      await events.ended(2);
      assert.deepEqual([events.sent.length, events.caught[0]?.error.code], [1, 'M2FP_BAD_OPTION']);
    });

    it('keeps a number alone as long as one topic passes, and refuses it then', async () => {
      const events = await start({
        method: 'fill',
        labels: 'Hair',
        keep: 'track 1',
        failed: 'placeholder',
      });
      for (const topic of ['yard', 'yard', 'door', 'yard']) send(await tracked(topic));
      await events.ended(4);
      assert.equal(events.sent.length, 2);
      assert.equal(events.caught.length, 2);
      for (const { error } of events.caught) {
        assert.equal(error.code, 'M2FP_BAD_OPTION');
        assert.match(error.message, /"track 7 of yard".+\("yard", "door"\)/);
      }
      send({ ...(await tracked('door')), m2fp: { keep: 'track 1 of door' } });
      send({ ...(await tracked('door')), m2fp: { keep: { tracks: [1] } } });
      await events.ended(6);
      assert.deepEqual([events.sent.length, events.caught.length], [3, 3]);
    });
  });
});
