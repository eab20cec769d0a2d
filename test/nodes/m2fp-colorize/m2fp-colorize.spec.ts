import assert from 'node:assert/strict';
import { colorize } from '../../../src/parsing/colorize/colorize.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { formatOf, pixelsOf } from '../../parsing/scene.ts';
import { exampleParsing } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { deploy, type Events, nodeOf, send, startFlow, stopFlow } from '../support/red.ts';

describe('m2fp-colorize', () => {
  let parsing: Parsing;

  const start = (properties = {}): Promise<Events> =>
    startFlow([nodeConfig('m2fp-colorize', 'node', properties)]);
  const drawn = async (properties: object): Promise<Buffer> => {
    const events = await start(properties);
    send({ parsing });
    await events.ended();
    assert.deepEqual(events.caught, []);
    return events.sent[0]!.payload as Buffer;
  };

  beforeEach(async () => {
    parsing = await exampleParsing();
  });
  afterEach(stopFlow);

  it('puts the picture into msg.payload and leaves everything else', async () => {
    const events = await start();
    const before = structuredClone(parsing);
    const msg = { payload: { persons: [] }, parsing, topic: 'x', filename: 'a' };
    send(msg);
    await events.ended();
    const [sent] = events.sent;
    assert.equal(sent, msg);
    assert.equal(sent['parsing'], parsing);
    assert.deepEqual(structuredClone(parsing), before, 'nothing is written into the parsing');
    assert.deepEqual(Object.keys(sent).toSorted(), ['_msgid', 'filename', 'parsing', 'payload', 'topic']);
    assert.deepEqual(notPlain(sent), []);
    assert.equal(formatOf(sent.payload as unknown as Buffer), 'png');
    await events.until(() => events.statuses.length > 0 && events.completed.length === 1);
    assert.equal(events.statuses.at(-1)!.text, '8 × 4');
  });

  for (const [properties, options] of [
    [{}, { mode: 'overlay' }],
    [{ mode: 'map' }, { mode: 'map' }],
    [{ opacity: '1' }, { mode: 'overlay', opacity: 1 }],
    [{ minScore: '0.95' }, { mode: 'overlay', minScore: 0.95 }],
    [
      { mode: 'map', by: 'person' },
      { mode: 'map', by: 'person' },
    ],
    [
      { mode: 'map', paint: 'map' },
      { mode: 'map', paint: 'map' },
    ],
    [
      { mode: 'map', background: 'transparent' },
      { mode: 'map', background: 'transparent' },
    ],
    [
      { mode: 'map', labels: 'hair' },
      { mode: 'map', labels: ['Hair'] },
    ],
    [
      { mode: 'map', palette: 'pascal' },
      { mode: 'map', palette: 'pascal' },
    ],
    [
      { mode: 'map', colors: '{"Hair": [1, 2, 3]}' },
      { mode: 'map', colors: { Hair: [1, 2, 3] } },
    ],
    [{ mode: 'map', colors: '' }, { mode: 'map' }],
    [
      { contours: 1, contourColor: '#00ff00' },
      { mode: 'overlay', contours: 1, contourColor: '#00ff00' },
    ],
    [
      { format: 'jpeg', quality: '40' },
      { mode: 'overlay', format: 'jpeg', quality: 40 },
    ],
    [
      { format: 'webp', quality: '' },
      { mode: 'overlay', format: 'webp' },
    ],
    [
      { by: 'person-part', background: 'dim', dim: '0.3' },
      { mode: 'overlay', by: 'person-part', background: 'dim', dim: 0.3 },
    ],
    [{ background: 'dim' }, { mode: 'overlay', background: 'dim', dim: 0.6 }],
    [
      { background: 'blur', blurRadius: '2' },
      { mode: 'overlay', background: 'blur', blurRadius: 2 },
    ],
    [
      { background: 'remove', palette: 'distinct' },
      { mode: 'overlay', background: 'remove', palette: 'distinct' },
    ],
    [
      { legend: 'beside', names: true, scores: true, textSize: '6' },
      { mode: 'overlay', legend: 'beside', names: true, scores: true, textSize: 6 },
    ],
    [{ mode: 'indexed' }, { mode: 'indexed' }],
    // The format is hidden then.
    [{ mode: 'labels', format: 'jpeg' }, { mode: 'labels' }],
    // Colours of another model.
    [{ colors: '{"Glove": "blue"}' }, { mode: 'overlay' }],
    [
      { mode: 'map', labels: 'Hair,Glove', colors: '{"Hair": "red", "Glove": "blue"}' },
      { mode: 'map', labels: ['Hair'], colors: { Hair: 'red' } },
    ],
    [
      { mode: 'map', labels: 'none' },
      { mode: 'map', labels: [] },
    ],
  ] as const) {
    it(`draws as its form says: ${JSON.stringify(properties)}`, async () => {
      const expected = await colorize(parsing, options);
      assert.ok((await drawn(properties)).equals(expected.image), JSON.stringify(properties));
    });
  }

  it('paints a label in the colour that the form has for it', async () => {
    const image = await drawn({ mode: 'map', colors: '{"Coat": "#102030"}' });
    assert.deepEqual((await pixelsOf(image)).at(0, 3), [0x10, 0x20, 0x30]);
  });

  it('draws what a flow of version 1 has as it did', async () => {
    const stored = {
      mode: 'map',
      opacity: 0.6,
      by: 'label',
      paint: 'parts',
      minScore: 0.3,
      background: 'transparent',
      labels: 'Hair, Coat',
      palette: 'auto',
      colors: '{"Hair":"#102030"}',
      contours: 1,
      contourColor: '#ffffff',
      format: 'png',
      quality: 90,
      configVersion: 1,
    };
    const events = await startFlow([{ id: 'node', type: 'm2fp-colorize', name: '', ...stored }]);
    send({ parsing });
    await events.ended();
    const options = { mode: 'map', background: 'remove', contours: 1, colors: { Hair: '#102030' } } as const;
    assert.deepEqual(events.sent[0]!.payload, (await colorize(parsing, options)).image);
  });

  for (const [m2fp, options] of [
    [
      { mode: 'map', by: 'person' },
      { mode: 'map', by: 'person' },
    ],
    [{ colorize: { mode: 'map' }, crop: { mode: 'cutout' }, scoreThreshold: 0.2 }, { mode: 'map' }],
    [
      { mode: 'cutout', colorize: { mode: 'map', colors: { Hair: [1, 2, 3], Glove: 'red' } } },
      { mode: 'map', colors: { Hair: [1, 2, 3] } },
    ],
    [
      { legend: 'below', textSize: 8 },
      { mode: 'overlay', legend: 'below', textSize: 8 },
    ],
  ] as const) {
    it(`takes the options of the message on top of the form: ${JSON.stringify(m2fp)}`, async () => {
      const events = await start();
      send({ parsing, m2fp });
      await events.ended();
      assert.deepEqual(events.caught, []);
      assert.deepEqual(events.sent[0]!.payload, (await colorize(parsing, options as object)).image);
    });
  }

  for (const m2fp of [
    { mode: 'cutout' },
    { colorize: { opacity: 2 } },
    { opacty: 1 },
    { mode: 'labels', format: 'webp' },
  ]) {
    it(`refuses a wrong option of the message: ${JSON.stringify(m2fp)}`, async () => {
      const events = await start();
      send({ parsing, m2fp });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
      assert.match(events.caught[0]!.error.message, /"(?:mode|opacity|opacty|format)"/);
    });
  }

  it('reads the parsing from another property and writes the picture to another', async () => {
    const events = await start({ parsing: 'a.b', result: 'c.d[0].e' });
    send({ a: { b: parsing }, payload: 'kept' });
    await events.ended();
    const { c, payload } = events.sent[0] as unknown as { c: { d: { e: Buffer }[] }; payload: string };
    assert.deepEqual(c.d[0]!.e, (await colorize(parsing, { mode: 'overlay' })).image);
    assert.equal(payload, 'kept');
  });

  it('reads from and writes to the context', async () => {
    const events = await start({
      parsing: 'p',
      parsingType: 'flow',
      result: 'picture',
      resultType: 'global',
    });
    const { flow, global } = nodeOf('node').context();
    flow.set('p', parsing);
    send({ payload: 'kept' });
    await events.ended();
    assert.deepEqual(global.get('picture'), (await colorize(parsing, { mode: 'overlay' })).image);
    assert.equal(events.sent[0]!.payload, 'kept');
  });

  it('goes to both of two wires', async () => {
    const events = await start();
    send({ parsing });
    await events.until(() => events.sent.length + events.sentOnSecondWire.length === 2);
    assert.deepEqual(events.sentOnSecondWire[0]!.payload, events.sent[0]!.payload);
  });

  for (const [name, msg, properties, code] of [
    ['a message without a parsing', {}, {}, 'M2FP_NO_PARSING'],
    ['something else as parsing', { parsing: { persons: 3 } }, {}, 'M2FP_NO_PARSING'],
    ['a label that the model does not have', null, { labels: 'Tail' }, 'M2FP_BAD_OPTION'],
    ['labels of another model alone', null, { labels: 'T-shirt' }, 'M2FP_BAD_OPTION'],
    ['colours that are no JSON', null, { colors: '{' }, 'M2FP_BAD_OPTION'],
    ['a colour that is none', null, { colors: '{"Hair": "hairy"}' }, 'M2FP_BAD_OPTION'],
    ['an opacity that is no number', null, { opacity: 'x' }, 'M2FP_BAD_OPTION'],
    ['a transparent JPEG', null, { background: 'transparent', format: 'jpeg' }, 'M2FP_BAD_OPTION'],
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

  it('that is deployed at work ends its message once', async () => {
    const events = await start();
    send({ parsing });
    await deploy([]);
    assert.equal(events.done.length, 1);
  });
});
