import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import { makeMask } from '../../../src/parsing/make-mask/make-mask.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { people } from '../../parsing/make-mask/people.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { type Events, nodeOf, send, startFlow, stopFlow } from '../support/red.ts';

describe('m2fp-mask', () => {
  let parsing: Parsing;
  let events: Events;

  const start = async (properties = {}): Promise<void> => {
    events = await startFlow([nodeConfig('m2fp-mask', 'node', properties)]);
  };
  const one = async (properties: object, msg: object = {}): Promise<NodeMessage> => {
    await start(properties);
    send({ parsing, ...msg });
    await events.until(() => events.sent.length + events.caught.length > 0);
    assert.deepEqual(events.caught, []);
    return events.sent[0]!;
  };
  const failure = async (properties: object, msg: object): Promise<{ code?: string }> => {
    await start(properties);
    send(msg as NodeMessage);
    await events.until(() => events.caught.length > 0);
    assert.deepEqual(events.sent, []);
    return events.caught[0]!['error'];
  };

  before(async () => {
    parsing = await people('couple');
  });
  afterEach(stopFlow);

  it('sends the mask for the upper garment of the largest person, with facts', async () => {
    const msg = await one({}, { topic: 'x' });
    const { mask, ...facts } = await makeMask(parsing);
    assert.ok((msg.payload as Buffer).equals(mask));
    assert.deepEqual(msg['masked'], facts);
    assert.deepEqual([msg.topic, msg['parsing']], ['x', parsing]);
    assert.deepEqual(notPlain(msg), []);
  });

  it('does what the form says, and what the message says on top of it', async () => {
    const form = { mode: 'parts', labels: 'Coat,Face', persons: 'all', grow: 3, hull: 'each', invert: true };
    const msg = await one(form, { m2fp: { grow: 5, mask: { persons: [1] } } });
    const { mask } = await makeMask(parsing, {
      mode: 'parts',
      labels: ['Coat', 'Face'],
      persons: [1],
      grow: 5,
      hull: 'each',
      invert: true,
    });
    assert.ok((msg.payload as Buffer).equals(mask));
  });

  it('sends the grey picture, or an object with all', async () => {
    const { mask, agnostic, image } = await makeMask(parsing, { output: 'all' });
    const msg = await one({ output: 'all', result: 'made' });
    assert.deepEqual(msg['made'], { mask, agnostic, image });
    await stopFlow();
    assert.deepEqual((await one({ output: 'agnostic' })).payload, agnostic);
  });

  it('leaves labels out that only other models have, and takes all where the form ticks all', async () => {
    const { mask } = await makeMask(parsing, { mode: 'parts', labels: ['Coat'] });
    assert.deepEqual((await one({ mode: 'parts', labels: 'Coat,Jumpsuits' })).payload, mask);
  });

  it('tells of persons that are not there', async () => {
    const msg = await one({ persons: '1, 9' });
    assert.deepEqual((msg['masked'] as { missing: number[] }).missing, [9]);
    const status = events.statuses.at(-1)!;
    assert.equal(status.fill, 'yellow');
    assert.match(status.text!, /1 not there/);
  });

  it('fails where nothing is to be painted, or passes a black mask', async () => {
    const error = await failure({ mode: 'parts', labels: 'Dress' }, { parsing });
    assert.deepEqual([error.code, events.caught[0]!['statusCode']], ['M2FP_NOTHING_FOUND', 404]);
    await stopFlow();
    const msg = await one({ mode: 'parts', labels: 'Dress', empty: 'pass' });
    assert.deepEqual([(msg['masked'] as { box: unknown }).box, events.caught], [null, []]);
  });

  it('fails with a code where there is no parsing or a wrong option', async () => {
    assert.equal((await failure({}, { payload: 1 })).code, 'M2FP_NO_PARSING');
    await stopFlow();
    assert.equal((await failure({}, { parsing, m2fp: { garment: 'hat' } })).code, 'M2FP_BAD_OPTION');
  });

  it('keeps the order of messages', async () => {
    await start();
    const garments = ['upper', 'lower', 'dress'];
    for (const garment of garments) send({ parsing, topic: garment, m2fp: { garment } });
    await events.until(() => events.sent.length === 3);
    assert.deepEqual(
      events.sent.map(({ topic }) => topic),
      garments,
    );
    assert.ok(nodeOf('node'));
  });
});
