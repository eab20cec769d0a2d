/** Nodes whose form is wrong fail every message, so the health tells of them, whatever the models do. */
import assert from 'node:assert/strict';
import type { Health } from '../../../src/observe/health.ts';
import { nodeConfig } from '../support/flows.ts';
import { coreNode, deploy, type NodeConfig, startFlow } from '../support/red.ts';
import { answer, infer, model, status, useEngines } from './support.ts';

describe('m2fp-status, of nodes that are set wrong', () => {
  useEngines();

  const request = (properties: object = {}): NodeConfig =>
    nodeConfig('m2fp-request', 'request', { name: 'gate', ...properties });
  const cases: [string, NodeConfig, RegExp, Record<string, object>?][] = [
    [
      'whose only key is a variable that is not set',
      request(),
      /M2FP_TEST_NO_KEY/,
      { request: { keys: '${M2FP_TEST_NO_KEY}' } },
    ],
    ['whose limit is no number', request({ perMinute: 'many' }), /"perMinute"/],
    ['that allows what is no option', request({ allowed: 'nothing' }), /nothing/],
    [
      'whose limit is a variable that is not set',
      request({ perMinute: '${M2FP_TEST_NO_LIMIT}' }),
      /NO_LIMIT/,
    ],
    [
      'that keeps jobs in no line',
      nodeConfig('m2fp-jobs', 'request', { name: 'gate', line: '../x' }),
      /line/,
    ],
    [
      'that keeps jobs, and whose infer node was deleted',
      nodeConfig('m2fp-jobs', 'request', { name: 'gate', wires: [['gone'], []] }),
      /no parsing response/,
    ],
    ['whose only key no client can send', request(), /no client can send/, { request: { keys: 'ключ' } }],
    [
      'that colours in no mode',
      nodeConfig('m2fp-colorize', 'request', { name: 'gate', mode: 'x' }),
      /"mode"/,
    ],
  ];
  for (const [what, node, words, credentials] of cases) {
    it(`is not ready while there is one ${what}, and names it`, async () => {
      const events = await startFlow(
        [model, infer, node, status({ format: 'ready' })],
        [],
        credentials ?? {},
      );
      const bad = await answer(events);
      const { ready, reasons } = bad.payload as Health;
      assert.deepEqual([bad['statusCode'], ready, reasons.length], [503, false, 1], JSON.stringify(reasons));
      const { code, model: about, node: name, message } = reasons[0]!;
      assert.deepEqual([code, about, name], ['node-misconfigured', '', 'gate']);
      assert.match(message, words);
      const good = await answer(await deploy([model, infer, status({ format: 'ready' })]));
      assert.deepEqual([good['statusCode'], (good.payload as Health).reasons], [200, []]);
    });
  }

  it('is ready, and says so, where one of the variables of its keys is not set, or a key cannot be sent', async () => {
    const keys = 'a-key ${M2FP_TEST_NO_KEY} schlüssel';
    const events = await startFlow([model, infer, request(), status({ format: 'ready' })], [], {
      request: { keys },
    });
    const told = await answer(events);
    const { status: degraded, ready, reasons } = told.payload as Health;
    assert.deepEqual([told['statusCode'], degraded, ready], [200, 'degraded', true]);
    assert.deepEqual(
      reasons.map(({ code, node }) => [code, node]),
      [['keys-missing', 'gate']],
    );
    assert.match(reasons[0]!.message, /M2FP_TEST_NO_KEY.* no client can send/);
    assert.doesNotMatch(reasons[0]!.message, /a-key|schl/);
  });

  it('is not ready where the requests of one come to no answer any more, and names it', async () => {
    const ask: NodeConfig = {
      id: 'ask',
      type: 'http in',
      name: '',
      method: 'post',
      url: '/a',
      wires: [['request']],
    };
    const wired = request({ wires: [['infer']] });
    const flow = [ask, wired, model, { ...infer, wires: [['last'], []] }, status({ format: 'ready' })];
    const last = nodeConfig('m2fp-response', 'last', { wires: [['response']] });
    const response: NodeConfig = { id: 'response', type: 'http response', name: '', wires: [] };
    const events = await startFlow([...flow, last, response], [coreNode('network/21-httpin')]);
    assert.equal((await answer(events))['statusCode'], 200);
    const told = await answer(await deploy([...flow, response]));
    const { ready, reasons } = told.payload as Health;
    assert.deepEqual([told['statusCode'], ready, reasons.length], [503, false, 1]);
    const { code, node, message } = reasons[0]!;
    assert.deepEqual([code, node], ['node-misconfigured', 'gate']);
    assert.match(message, /^"gate" \(m2fp-request\): requests get no answer/);
    assert.equal((await answer(await deploy([...flow, last, response])))['statusCode'], 200);
  });

  it('is ready with one that is set right', async () => {
    const events = await startFlow([model, infer, request({ perMinute: 5 }), status({ format: 'ready' })]);
    assert.equal((await answer(events))['statusCode'], 200);
  });
});
