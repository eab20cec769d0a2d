import assert from 'node:assert/strict';
import type { Node, NodeMessageInFlow } from 'node-red';
import { beginning } from '../../../nodes/common/form-fields.ts';
import { PARSING_FIELDS, type ParsingConfig, parsingOf } from '../../../nodes/common/parsing.ts';
import { putResult, RESULT_FIELDS, type ResultConfig } from '../../../nodes/common/result.ts';
import { exampleParsing, fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { nodeOf, redApi, startFlow, stopFlow } from '../support/red.ts';

describe('properties of any place', () => {
  beforeEach(async () => {
    fakeEngines();
    await startFlow([nodeConfig('m2fp-colorize', 'node')]);
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  const message = (more: object = {}) => ({ _msgid: 'id', payload: 'old', ...more }) as NodeMessageInFlow;
  const put = (msg: NodeMessageInFlow, config: ResultConfig, value: unknown = 'new') =>
    putResult(redApi(), nodeOf('node'), msg, config, value);

  describe('putResult', () => {
    it("is for the message's payload where the form is as it begins", async () => {
      const msg = message();
      await put(msg, beginning(RESULT_FIELDS));
      assert.deepEqual(msg, message({ payload: 'new' }));
    });

    it('makes what is missing above the property, and leaves the payload', async () => {
      const msg = message({ topic: 'a' });
      await put(msg, { result: 'pictures[0].overlay', resultType: 'msg' });
      await put(msg, { result: 'of[msg.topic]', resultType: 'msg' });
      assert.deepEqual(msg, message({ topic: 'a', pictures: [{ overlay: 'new' }], of: { a: 'new' } }));
    });

    it("puts it into the flow's or the global context, and not into the message", async () => {
      const msg = message();
      const value = Buffer.from('picture');
      await put(msg, { result: 'last.picture', resultType: 'flow' }, value);
      await put(msg, { result: 'last', resultType: 'global' }, value);
      assert.deepEqual(msg, message());
      assert.equal(nodeOf('node').context().flow.get('last.picture'), value);
      assert.equal(nodeOf('node').context().global.get('last'), value);
    });

    for (const [name, result] of [
      ['below a text', 'payload.picture'],
      ['where there is no name', ''],
      ['under a broken name', 'a..b'],
    ] as const) {
      it(`says that it cannot lie ${name}`, async () => {
        await assert.rejects(put(message(), { result, resultType: 'msg' }), {
          code: 'M2FP_BAD_OPTION',
          message: /result cannot be put into msg\./,
        });
      });
    }

    it('says why a store does not take it', async () => {
      const set = (_key: string, _value: unknown, _store: unknown, done: (error: Error) => void): void =>
        done(new Error('disk full'));
      const node = { context: () => ({ flow: { set } }) } as unknown as Node;
      const failed = putResult(redApi(), node, message(), { result: 'a', resultType: 'flow' }, 1);
      await assert.rejects(failed, { code: 'M2FP_BAD_OPTION', message: /flow\.a: disk full/ });
    });
  });

  describe('parsingOf', () => {
    const read = (msg: NodeMessageInFlow, config: ParsingConfig) =>
      parsingOf(redApi(), nodeOf('node'), msg, config);

    it('is msg.parsing where the form is as it begins', async () => {
      const parsing = await exampleParsing();
      assert.equal(await read(message({ parsing }), beginning(PARSING_FIELDS)), parsing);
    });

    it('says what is missing where the message has none', async () => {
      await assert.rejects(read(message(), beginning(PARSING_FIELDS)), {
        code: 'M2FP_NO_PARSING',
        message: /there is none.*wire an M2FP infer node before/,
      });
    });

    it('is any property, also of a context', async () => {
      const parsing = await exampleParsing();
      assert.equal(
        await read(message({ a: [{ parsing }] }), { parsing: 'a[0].parsing', parsingType: 'msg' }),
        parsing,
      );
      nodeOf('node').context().flow.set('kept', parsing);
      assert.equal(await read(message(), { parsing: 'kept', parsingType: 'flow' }), parsing);
    });

    it('says where it looked for what cannot be read', async () => {
      await assert.rejects(read(message(), { parsing: 'a.b.c', parsingType: 'msg' }), {
        code: 'M2FP_NO_PARSING',
        message: /no parsing in msg\.a\.b\.c/,
      });
    });
  });
});
