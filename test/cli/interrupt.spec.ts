import assert from 'node:assert/strict';
import { Interruption, interruptible } from '../../src/cli/interrupt.ts';
import { throwIfCancelled } from '../../src/store/cancel.ts';

const listeners = () => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');

describe('interrupting a command', () => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends its work on ${signal}, with the exit code of shells`, async () => {
      const interrupted = interruptible(async (abort) => {
        process.emit(signal, signal);
        throwIfCancelled(abort);
      }, 'Nothing is there');
      await assert.rejects(interrupted, (error: unknown) => {
        assert.ok(error instanceof Interruption);
        assert.deepEqual(
          [error.code, error.exitCode, error.message],
          ['M2FP_CANCELLED', exitCode, 'Interrupted. Nothing is there'],
        );
        return true;
      });
    });
  }

  it('lets work that was done before it heard of that end well', async () => {
    const done = interruptible(async () => {
      process.emit('SIGINT', 'SIGINT');
      return 'done';
    }, '');
    assert.equal(await done, 'done');
  });

  it('stops listening when the work has ended, well or not', async () => {
    const before = listeners();
    assert.equal(await interruptible(() => Promise.resolve(7), ''), 7);
    await assert.rejects(
      interruptible(() => Promise.reject(new Error('failed')), ''),
      /failed/,
    );
    assert.equal(listeners(), before);
  });
});
