/** The nodes that take a parsing take it after JSON, too. */
import assert from 'node:assert/strict';
import type { Parsing } from '../../../src/parsing/types.ts';
import { exampleParsing } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { nodeOf, send, startFlow, stopFlow } from '../support/red.ts';

/** What `await` waits for, for ever. */
const thenable = Object.fromEntries(['then'].map((name) => [name, () => {}]));

describe('a parsing that went through JSON', () => {
  let parsing: Parsing;
  let json: object;

  beforeEach(async () => {
    parsing = await exampleParsing();
    json = JSON.parse(JSON.stringify(parsing)) as object;
  });
  afterEach(stopFlow);

  for (const type of ['m2fp-colorize', 'm2fp-crop', 'm2fp-redact', 'm2fp-preview'] as const) {
    it(`is to ${type} what it was`, async () => {
      const whole = type === 'm2fp-crop' ? { output: 'array' } : {};
      const events = await startFlow([nodeConfig(type, 'node', whole)]);
      send({ parsing });
      await events.ended();
      send({ parsing: json });
      await events.until(() => events.caught.length > 0 || events.sent.length === 2);
      assert.deepEqual(
        events.caught.map(({ error }) => error.message),
        [],
      );
      assert.deepEqual(events.sent[1]!.payload, events.sent[0]!.payload);
    });
  }

  for (const type of ['m2fp-colorize', 'm2fp-crop', 'm2fp-redact', 'm2fp-preview'] as const) {
    it(`is refused by ${type} where it is a Promise, which may never end`, async () => {
      const events = await startFlow([nodeConfig(type, 'node')]);
      send({ parsing: new Promise(() => {}), payload: new Promise(() => {}) });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_NO_PARSING');
    });

    it(`passes ${type} in a message that is waited for like a Promise`, async () => {
      const events = await startFlow([nodeConfig(type, 'node')]);
      send({ parsing, ...thenable });
      await events.ended();
      assert.deepEqual(events.caught, []);
    });
  }

  it('is found in a context, too', async () => {
    const events = await startFlow([
      nodeConfig('m2fp-colorize', 'node', { parsing: 'kept', parsingType: 'flow' }),
    ]);
    nodeOf('node').context().flow.set('kept', json);
    send({ payload: '' });
    await events.ended();
    assert.ok(Buffer.isBuffer(events.sent[0]!.payload));
  });

  it('is refused where its pixels were lost, with what to do', async () => {
    const events = await startFlow([nodeConfig('m2fp-redact', 'node')]);
    send({ parsing: { ...json, image: undefined } });
    await events.ended();
    assert.equal(events.caught[0]!.error.code, 'M2FP_NO_PARSING');
    assert.match(events.caught[0]!.error.message, /has lost its image on the way/);
  });
});
