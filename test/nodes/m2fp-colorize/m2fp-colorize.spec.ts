import assert from 'node:assert/strict';
import { colorize } from '../../../src/parsing/colorize.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { formatOf, pixelsOf } from '../../parsing/scene.ts';
import { exampleParsing } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { deploy, type Events, send, startFlow, stopFlow } from '../support/red.ts';

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
    assert.equal(sent!['parsing'], parsing);
    assert.deepEqual(structuredClone(parsing), before, 'nothing is written into the parsing');
    assert.deepEqual(Object.keys(sent!).toSorted(), ['_msgid', 'filename', 'parsing', 'payload', 'topic']);
    assert.deepEqual(notPlain(sent), []);
    assert.equal(formatOf(sent!.payload as unknown as Buffer), 'png');
    await events.until(() => events.statuses.length > 0 && events.completed.length === 1);
    assert.equal(events.statuses.at(-1)!.text, '8 × 4');
  });

  it('draws as its form says', async () => {
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
    ] as const) {
      const expected = await colorize(parsing, options as object);
      assert.ok((await drawn(properties)).equals(expected.image), JSON.stringify(properties));
      await stopFlow();
    }
  });

  it('paints a label in the colour that the form has for it', async () => {
    const image = await drawn({ mode: 'map', colors: '{"Coat": "#102030"}' });
    assert.deepEqual((await pixelsOf(image)).at(0, 3), [0x10, 0x20, 0x30]);
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
