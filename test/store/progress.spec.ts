import assert from 'node:assert/strict';
import { ProgressMeter, type PullProgress } from '../../src/store/progress.ts';
import { FakeClock } from './support/clock.ts';

describe('the progress of a pull', () => {
  let clock = new FakeClock();
  let told: PullProgress[] = [];
  let meter = new ProgressMeter(clock, () => {});
  beforeEach(() => {
    clock = new FakeClock();
    told = [];
    meter = new ProgressMeter(clock, (progress) => told.push(progress));
  });
  const received = () => told.map((progress) => progress.received);

  it('is told at most four times a second, and at its end', () => {
    meter.begin('download', 'file');
    clock.step = 100;
    for (let bytes = 1; bytes <= 100; bytes++) meter.bytes(bytes, 100);
    const [first, last] = [told[0], told.at(-1)];
    assert.deepEqual([first?.share, last?.share], [null, 1]);
    assert.ok(told.length > 20 && told.length < 80, String(told.length));
  });

  it('is told a little later where nothing more comes', () => {
    meter.begin('download', 'file');
    meter.bytes(10, 100);
    meter.bytes(20, 100);
    assert.deepEqual(received(), [0]);
    clock.beat();
    assert.deepEqual(received(), [0, 20]);
    clock.beat();
    assert.deepEqual(received(), [0, 20]);
  });

  it('is not told after the end', () => {
    meter.begin('download', 'file');
    meter.bytes(10, 100);
    meter.end();
    clock.beat();
    assert.deepEqual(received(), [0]);
  });

  it('tells a pause at once, with no speed, and its end', () => {
    meter.begin('download', 'file');
    meter.bytes(10, 100);
    clock.advance(1000);
    meter.bytes(20, 100);
    const retry = { status: 503, reason: 'no answer', seconds: 4, attempt: 2, attempts: 5 };
    meter.retry(retry);
    assert.deepEqual(
      [told.at(-1)?.retry, told.at(-1)?.received, told.at(-1)?.bytesPerSecond],
      [retry, 20, null],
    );
    meter.retry(null);
    assert.equal('retry' in told.at(-1)!, false);
    assert.equal(told.at(-1)?.received, 20);
  });

  it('knows the speed of a download', () => {
    meter.begin('download', 'file');
    for (let bytes = 0; bytes < 10_000; bytes += 500) {
      meter.bytes(bytes, 20_000);
      clock.advance(500);
    }
    assert.equal(told.at(-1)?.bytesPerSecond, 1000);
    // Faster from now on: what was five seconds ago does not count.
    for (let bytes = 10_000; bytes < 20_000; bytes += 1000) {
      meter.bytes(bytes, 20_000);
      clock.advance(500);
    }
    assert.ok(Math.abs(told.at(-1)!.bytesPerSecond! - 2000) < 200);
    meter.begin('verify', 'file');
    meter.bytes(10, 100);
    assert.equal(told.at(-1)?.bytesPerSecond, null);
  });

  it('knows no speed below zero where a download starts over', () => {
    meter.begin('download', 'file');
    for (const bytes of [1000, 2000, 0, 500]) {
      meter.bytes(bytes, 10_000);
      clock.advance(500);
    }
    assert.ok(told.every(({ bytesPerSecond }) => bytesPerSecond === null || bytesPerSecond >= 0));
  });
});
