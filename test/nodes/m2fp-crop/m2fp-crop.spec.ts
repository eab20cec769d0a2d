import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import { type Crop, crop } from '../../../src/parsing/crop/crop.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { exampleParsing } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { coreNode, type Events, nodeOf, send, startFlow, stopFlow } from '../support/red.ts';

type CropMessage = NodeMessage & {
  payload: Buffer;
  filename: string;
  crop: Omit<Crop, 'image' | 'name'>;
  parts: { id: string; index: number; count: number; type: string; len: number; parts?: object };
};

describe('m2fp-crop', () => {
  let parsing: Parsing;

  const start = (properties = {}): Promise<Events> =>
    startFlow([nodeConfig('m2fp-crop', 'node', properties)]);
  const sequence = async (properties: object, msg: NodeMessage = {}): Promise<CropMessage[]> => {
    const events = await start(properties);
    send({ parsing, ...msg });
    await events.until(() => events.completed.length + events.caught.length > 0);
    assert.deepEqual(events.caught, []);
    await events.until(
      () => events.sent.length === ((events.sent[0]?.['parts'] as CropMessage['parts'])?.count ?? 0),
    );
    return events.sent as CropMessage[];
  };

  beforeEach(async () => {
    parsing = await exampleParsing();
  });
  afterEach(stopFlow);

  it('tells the colours where it shall', async () => {
    const [first] = await sequence({ colors: true });
    const { colors = [] } = first!.crop;
    assert.ok(colors.length > 0);
    assert.match(colors[0]!.hex, /^#[0-9a-f]{6}$/);
    await stopFlow();
    const [plain] = await sequence({});
    assert.equal('colors' in plain!.crop, false);
  });

  it('sends a message for each part of each person', async () => {
    const messages = await sequence({}, { topic: 'x', payload: 'before' });
    const expected = await crop(parsing);
    assert.equal(messages.length, 4);
    messages.forEach((message, index) => {
      const { image, name, ...facts } = expected[index]!;
      assert.ok(message.payload.equals(image));
      assert.equal(message.filename, name);
      assert.deepEqual(message.crop, facts);
      assert.equal(message.topic, 'x');
      assert.deepEqual(message['parsing'], parsing);
      assert.deepEqual(notPlain(message), []);
    });
    assert.deepEqual(
      messages.map(({ crop: { person, label } }) => [person, label]),
      [
        [1, 'Hair'],
        [1, 'Coat'],
        [2, 'Hair'],
        [2, 'Coat'],
      ],
    );
  });

  it('numbers the messages as the split node does', async () => {
    const messages = await sequence({ what: 'persons' });
    const { id } = messages[0]!.parts;
    assert.match(id, /^[0-9a-f.]+$/);
    assert.deepEqual(
      messages.map(({ parts }) => parts),
      [0, 1].map((index) => ({ id, type: 'array', len: 1, index, count: 2 })),
    );
  });

  it('keeps an outer sequence inside', async () => {
    const outer = { id: 'outer', index: 3, count: 7, type: 'array' };
    const messages = await sequence({ what: 'persons' }, { parts: outer });
    for (const { parts } of messages) assert.deepEqual(parts.parts, outer);
  });

  it('gives messages that do not share what a flow might change', async () => {
    const messages = await sequence({ what: 'persons' });
    assert.notEqual(messages[0]!['parsing'], messages[1]!['parsing']);
    assert.notEqual(messages[0]!.parts, messages[1]!.parts);
  });

  it('is put together again by a join node, the outer sequence too', async () => {
    const outer = { id: 'outer', index: 0, count: 2, type: 'array' };
    const join = { id: 'join', type: 'join', name: '', mode: 'auto', wires: [['out']] };
    const events = await startFlow(
      [nodeConfig('m2fp-crop', 'node', { what: 'persons', wires: [['join']] }), join],
      [coreNode('sequence/17-split')],
    );
    send({ parsing, parts: outer });
    await events.ended();
    const [joined] = events.sent as [NodeMessage & { parts: unknown }];
    const expected = await crop(parsing, { what: 'persons' });
    assert.deepEqual(
      joined.payload,
      expected.map(({ image }) => image),
    );
    assert.deepEqual(joined.parts, outer);
  });

  for (const [properties, options] of [
    [{ what: 'persons' }, { what: 'persons' }],
    [{ what: 'labels' }, { what: 'labels' }],
    [{ labels: 'coat' }, { labels: ['Coat'] }],
    [{ mode: 'cutout' }, { mode: 'cutout' }],
    [{ padding: '1' }, { padding: 1 }],
    [{ padding: 2 }, { padding: 2 }],
    [{ padding: ' 50% ' }, { padding: '50%' }],
    [{ padding: '' }, {}],
    [{ minArea: '7' }, { minArea: 7 }],
    [
      { what: 'persons', minScore: 0.85 },
      { what: 'persons', minScore: 0.85 },
    ],
    [{ max: '1' }, { max: 1 }],
    [
      { format: 'jpeg', quality: '30' },
      { format: 'jpeg', quality: 30 },
    ],
    [{ format: 'webp', quality: '' }, { format: 'webp' }],
    [{ what: 'person-groups' }, { what: 'person-groups' }],
    [
      { what: 'groups', groups: ' all=Hair+Coat ' },
      { what: 'groups', groups: { all: ['Hair', 'Coat'] } },
    ],
    [
      { mode: 'cutout', grow: '1', feather: '2' },
      { mode: 'cutout', grow: 1, feather: 2 },
    ],
    [
      { aspect: ' 1:1 ', edge: 'pad', fill: ' red ' },
      { aspect: 1, edge: 'pad', fill: '#ff0000' },
    ],
    [{ aspect: '0.5' }, { aspect: '1:2' }],
    [
      { scale: 'max', maxSide: '2' },
      { scale: 'max', maxSide: 2 },
    ],
    [
      { scale: 'exact', width: '9', height: '' },
      { scale: 'exact', width: 9 },
    ],
    [{ minArea: ' 24% ' }, { minArea: '24%' }],
    [{ labels: 'Hair,Glove' }, { labels: ['Hair'] }],
  ] as const) {
    it(`crops as its form says: ${JSON.stringify(properties)}`, async () => {
      const messages = await sequence(properties);
      const expected = await crop(parsing, options);
      assert.ok(expected.length > 0);
      assert.deepEqual(
        messages.map(({ payload }) => payload),
        expected.map(({ image }) => image),
        JSON.stringify(properties),
      );
    });
  }

  it('crops what a flow of version 1 has as it did', async () => {
    const stored = {
      what: 'person-parts',
      labels: 'hair',
      mode: 'cutout',
      padding: '10%',
      minArea: 1,
      minScore: 0,
      max: 255,
      format: 'png',
      quality: 90,
      output: 'sequence',
      configVersion: 1,
    };
    const events = await startFlow([{ id: 'node', type: 'm2fp-crop', name: '', ...stored }]);
    send({ parsing });
    await events.ended(2);
    const expected = await crop(parsing, { labels: ['Hair'], mode: 'cutout', padding: '10%' });
    assert.deepEqual(
      events.sent.map(({ payload }) => payload),
      expected.map(({ image }) => image),
    );
  });

  it('takes the output of the message on top of the form', async () => {
    const events = await start();
    send({ parsing, m2fp: { output: 'array' } });
    await events.ended();
    assert.deepEqual(events.sent[0]!.payload, await crop(parsing));
  });

  for (const [m2fp, options] of [
    [
      { what: 'persons', max: 1 },
      { what: 'persons', max: 1 },
    ],
    [{ mode: 'overlay', crop: { mode: 'cutout' } }, { mode: 'cutout' }],
    [
      { what: 'groups', groups: { a: ['Hair'] } },
      { what: 'groups', groups: 'a=Hair' },
    ],
    [{ labels: ['Coat', 'Glove'] }, { labels: ['Coat'] }],
  ] as const) {
    it(`takes the options of the message on top of the form: ${JSON.stringify(m2fp)}`, async () => {
      const messages = await sequence({}, { m2fp });
      const expected = await crop(parsing, options);
      assert.deepEqual(
        messages.map(({ payload }) => payload),
        expected.map(({ image }) => image),
      );
    });
  }

  for (const m2fp of [{ what: 'people' }, { crop: { padding: 'wide' } }, { output: 'stream' }, { padd: 1 }]) {
    it(`refuses a wrong option of the message: ${JSON.stringify(m2fp)}`, async () => {
      const events = await start();
      send({ parsing, m2fp });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
      assert.match(events.caught[0]!.error.message, /"(?:what|padding|output|padd)"/);
    });
  }

  it('reads the parsing from another property and writes each picture to another', async () => {
    const events = await start({ what: 'persons', parsing: 'a', result: 'b.picture' });
    send({ a: parsing, b: { kept: true }, payload: 'kept' });
    await events.until(() => events.sent.length === 2);
    const expected = await crop(parsing, { what: 'persons' });
    assert.deepEqual(
      events.sent.map(({ b, payload }: NodeMessage & { b?: object }) => ({ b, payload })),
      expected.map(({ image }) => ({ b: { kept: true, picture: image }, payload: 'kept' })),
    );
  });

  it('writes the array to another property', async () => {
    const events = await start({ what: 'persons', output: 'array', result: 'crops', resultType: 'flow' });
    send({ parsing, payload: 'kept' });
    await events.ended();
    assert.deepEqual(nodeOf('node').context().flow.get('crops'), await crop(parsing, { what: 'persons' }));
    assert.equal(events.sent[0]!.payload, 'kept');
  });

  it('sends one message with an array where it shall', async () => {
    const events = await start({ output: 'array', what: 'persons' });
    const msg: NodeMessage = { parsing, topic: 'x', parts: { id: 'outer', index: 0, count: 1 } };
    send(msg);
    await events.ended();
    assert.equal(events.sent[0], msg);
    assert.deepEqual(events.sent[0].payload, await crop(parsing, { what: 'persons' }));
    assert.deepEqual(msg['parts'], { id: 'outer', index: 0, count: 1 });
    assert.deepEqual(notPlain(events.sent[0]), []);
    assert.equal(events.sent.length, 1);
  });

  it('goes to both of two wires', async () => {
    const events = await start({ what: 'persons' });
    send({ parsing });
    await events.until(() => events.sent.length + events.sentOnSecondWire.length === 4);
    assert.deepEqual(
      events.sentOnSecondWire.map(({ payload }) => payload),
      events.sent.map(({ payload }) => payload),
    );
  });

  describe('with nothing to crop', () => {
    it('sends nothing, is done and says so', async () => {
      const events = await start({ minArea: 1000 });
      send({ parsing });
      await events.until(() => events.completed.length > 0);
      await events.until(() => events.statuses.some(({ text }) => text === '0 crops'));
      assert.deepEqual(events.sent, []);
      assert.deepEqual(events.caught, []);
      assert.equal(events.done.length, 1);
    });

    it('sends an empty array', async () => {
      const events = await start({ minArea: 1000, output: 'array' });
      send({ parsing });
      await events.ended();
      assert.deepEqual(events.sent[0]!.payload, []);
    });
  });

  it('says how many there were', async () => {
    const events = await start({ max: 1 });
    send({ parsing });
    await events.until(() => events.statuses.length > 0);
    assert.equal(events.statuses[0]!.text, '1 crop');
  });

  for (const [name, msg, properties, code] of [
    ['a message without a parsing', {}, {}, 'M2FP_NO_PARSING'],
    ['a label that the model does not have', null, { labels: 'Tail' }, 'M2FP_BAD_OPTION'],
    ['a margin that is none', null, { padding: 'wide' }, 'M2FP_BAD_OPTION'],
    ['a transparent JPEG', null, { mode: 'cutout', format: 'jpeg' }, 'M2FP_BAD_OPTION'],
  ] as const) {
    it(`ends ${name} in ${code}`, async () => {
      const events = await start(properties);
      send(msg === null ? { parsing } : { ...msg });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, code);
      assert.equal(events.caught[0]!.statusCode, 400);
      assert.deepEqual(events.sent, []);
    });
  }
});
