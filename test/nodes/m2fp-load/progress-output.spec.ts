import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { ProgressOutput } from '../../../nodes/m2fp-load/progress-output.ts';
import type { PullProgress } from '../../../src/store/progress.ts';

describe('ProgressOutput', () => {
  let sent: number[];
  let output: ProgressOutput;

  const tell = (...received: number[]): void => {
    for (const bytes of received) output.notify({ received: bytes } as PullProgress);
  };

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    sent = [];
    output = new ProgressOutput(({ received }) => sent.push(received));
  });
  afterEach(() => mock.timers.reset());

  it('sends two messages in a second, each with the latest progress', () => {
    for (let time = 0; time < 2000; time += 100) {
      tell(time);
      mock.timers.tick(100);
    }
    assert.deepEqual(sent, [0, 400, 900, 1400, 1900]);
  });

  it('sends nothing twice', () => {
    tell(1);
    mock.timers.tick(5000);
    tell(2);
    mock.timers.tick(5000);
    assert.deepEqual(sent, [1, 2]);
  });

  it('sends what is left at the end, and begins anew', () => {
    tell(1, 2, 3);
    output.end();
    assert.deepEqual(sent, [1, 3]);
    output.end();
    mock.timers.tick(5000);
    tell(4);
    assert.deepEqual(sent, [1, 3, 4]);
  });

  it('sends nothing when it is closed', () => {
    tell(1, 2);
    output.close();
    mock.timers.tick(5000);
    assert.deepEqual(sent, [1]);
  });
});
