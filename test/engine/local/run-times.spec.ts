import assert from 'node:assert/strict';
import { RunTimes } from '../../../src/engine/local/run-times.ts';

/** An engine that loads in `load`, whose first run takes `first` and whose others take `typical`. */
function known(load: number, first: number, typical: number): RunTimes {
  const times = new RunTimes();
  times.loaded(load);
  times.ran(first, true);
  times.ran(typical, false);
  return times;
}

describe('RunTimes', () => {
  it('kills at once where another process is ready clearly sooner', () => {
    const times = known(1000, 5000, 5000);
    assert.equal(times.killDelay(0), 0);
    assert.equal(times.killDelay(3499), 0);
  });

  it('waits for the rest of the run where that is about as quick, and then as long as a kill costs', () => {
    const times = known(1000, 5000, 5000);
    assert.equal(times.killDelay(3500), 2500);
    assert.equal(times.killDelay(4900), 1100);
    assert.equal(times.killDelay(50_000), 1000, 'it is overdue');
    assert.equal(known(600, 90, 50).killDelay(0), 50 + 600 + 40, 'a short run');
  });

  it('counts the slow first run of the next process in', () => {
    assert.equal(known(2500, 8800, 5100).killDelay(0), 5100 + 2500 + 3700);
  });

  it('goes by the first run while there is no other, and by the price alone without any', () => {
    const times = new RunTimes();
    times.loaded(1000);
    assert.equal(times.killDelay(100), 1000);
    times.ran(5000, true);
    assert.equal(times.killDelay(100), 0);
  });

  it('follows the times as they change', () => {
    const times = known(1000, 1200, 1200);
    assert.notEqual(times.killDelay(0), 0);
    for (let i = 0; i < 5; i++) times.ran(5000, false);
    assert.equal(times.killDelay(0), 0);
  });

  it('always leaves a moment where it does not kill at once', () => {
    assert.ok(new RunTimes().killDelay(0) > 0);
  });
});
