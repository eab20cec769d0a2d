/** However many nodes a flow has, they do not add a listener each to what they share: Node.js warns of more than ten. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { NodeMessageInFlow } from 'node-red';
import { answerUnlessFlowDoes, whenClientGone } from '../../../nodes/common/client.ts';
import { SharedListener } from '../../../nodes/common/shared-listener.ts';
import { M2fpError } from '../../../src/errors.ts';

const MANY = 21;

describe('many nodes', () => {
  it('share one listener, each is told once, and the last that leaves takes it along', () => {
    const shared = new SharedListener('flows:started');
    const events = new EventEmitter();
    const begun: number[] = [];
    for (let round = 1; round <= 2; round++) {
      const forget = Array.from({ length: MANY }, (_, index) => shared.add(events, () => begun.push(index)));
      assert.equal(events.listenerCount('flows:started'), 1);
      forget[3]!();
      events.emit('flows:started');
      events.emit('flows:started');
      assert.equal(begun.length, round * (MANY - 1));
      assert.ok(!begun.includes(3));
      for (const one of forget) one();
      assert.equal(events.listenerCount('flows:started'), 0);
    }
    shared.add(events, () => assert.fail('has left'))();
    assert.equal(events.listenerCount('flows:started'), 0);
  });

  it('share one listener for the end of an HTTP answer, and each is told', () => {
    const response = Object.assign(new EventEmitter(), { writableEnded: false, destroyed: false });
    const msg = { res: { _res: response } } as unknown as NodeMessageInFlow;
    const told: number[] = [];
    const forget = Array.from({ length: MANY }, (_, index) => whenClientGone(msg, () => told.push(index)));
    for (let index = 0; index < MANY; index++)
      answerUnlessFlowDoes(msg, new M2fpError('M2FP_CANCELLED', 'closed'));
    assert.equal(response.listenerCount('close'), 1);
    forget[0]!();
    response.emit('close');
    assert.deepEqual(
      told,
      Array.from({ length: MANY - 1 }, (_, index) => index + 1),
    );
  });
});
