import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import { checkParsing } from '../../../src/parsing/check.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { type Description, describe as describePeople } from '../../../src/people/describe/describe.ts';
import { painted } from '../../people/describe/support.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { type Events, send, startFlow, stopFlow, useSettings } from '../support/red.ts';

describe('m2fp-describe', () => {
  let parsing: Parsing;

  const start = (properties = {}): Promise<Events> =>
    startFlow([nodeConfig('m2fp-describe', 'node', properties)]);
  const described = async (msg: NodeMessage, properties = {}): Promise<NodeMessage> => {
    const events = await start(properties);
    send(msg);
    await events.ended();
    assert.deepEqual(events.caught, []);
    return events.sent[0]!;
  };
  const sentence = ({ payload }: NodeMessage): string => (payload as Description).sentence;

  beforeEach(async () => {
    parsing = await painted({
      width: 80,
      height: 60,
      persons: [{ at: [10, 5, 20, 50] }, { at: [50, 5, 20, 50], track: 4 }],
      parts: [
        { label: 'Coat', at: [10, 10, 20, 30], color: '#c01c20' },
        { label: 'Dress', at: [50, 10, 20, 40], color: '#f4f4f0', person: 2 },
      ],
    });
  });
  afterEach(async () => {
    await stopFlow();
    useSettings({});
  });

  it('tells of each person in the payload, and in the parsing', async () => {
    const message = await described({ parsing, topic: 'door' });
    const expected = await describePeople(parsing);
    assert.deepEqual(message.payload, expected);
    assert.equal(expected.sentence, '2 people: red coat; white dress');
    assert.equal(message.topic, 'door');
    const told = message['parsing'] as Parsing;
    checkParsing(told);
    assert.deepEqual(
      told.persons.map((person) => ('description' in person ? person.description : undefined)),
      expected.persons,
    );
    assert.equal(expected.persons[1]!.track, 4);
    assert.deepEqual(notPlain(message), []);
  });

  it('says on its status how many', async () => {
    const events = await start();
    const says = (text: string): Promise<void> =>
      events.until(() => events.statuses.some((status) => status.text === text));
    send({ parsing });
    await says('2 described');
    send({ parsing: { ...parsing, persons: [], parts: [], personMap: Buffer.alloc(4800) } });
    await says('nobody found');
    await events.ended(2);
    assert.equal(sentence(events.sent[1]!), 'nobody');
  });

  it('speaks the language of the form, of the message, and of Node-RED', async () => {
    assert.equal(
      sentence(await described({ parsing }, { language: 'zh-CN' })),
      '2个人：红色外套；白色连衣裙',
    );
    await stopFlow();
    assert.equal(
      sentence(await described({ parsing, m2fp: { language: 'zh-CN' } })),
      '2个人：红色外套；白色连衣裙',
    );
    await stopFlow();
    useSettings({ lang: 'zh-CN' });
    assert.equal(sentence(await described({ parsing })), '2个人：红色外套；白色连衣裙');
    await stopFlow();
    assert.equal(
      sentence(await described({ parsing, m2fp: { describe: { language: 'en-US' } } })),
      '2 people: red coat; white dress',
    );
  });

  it('takes what went through JSON, and puts the result where the form says', async () => {
    const message = await described(
      { payload: { seen: JSON.parse(JSON.stringify(parsing)) as unknown } },
      { parsing: 'payload.seen', result: 'people' },
    );
    assert.equal((message['people'] as Description).persons.length, 2);
  });

  for (const [what, msg, code] of [
    ['no parsing', {}, 'M2FP_NO_PARSING'],
    ['a wrong option', { m2fp: { maxColors: 9 } }, 'M2FP_BAD_OPTION'],
    ['an option that no node has', { m2fp: { colourful: true } }, 'M2FP_BAD_OPTION'],
  ] as const) {
    it(`fails for ${what}`, async () => {
      const events = await start();
      send(code === 'M2FP_NO_PARSING' ? msg : { parsing, ...msg });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, code);
      assert.equal(events.caught[0]!.statusCode, 400);
    });
  }
});
