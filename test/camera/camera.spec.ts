import assert from 'node:assert/strict';
import { CameraError } from '../../src/camera/camera-error.ts';
import { CameraTrial, FakeSource, settle } from './support/camera-trial.ts';

describe('Camera', () => {
  let trial: CameraTrial;

  beforeEach(() => {
    trial = new CameraTrial();
  });
  afterEach(() => trial.stop());

  it('sends the newest frame when the flow is done with the one before, and counts those between', async () => {
    const source = new FakeSource(true);
    const { statistics } = trial.open(source);
    await settle();
    for (const name of ['a', 'b', 'c', 'd']) {
      source.push(Buffer.from(name));
      await settle();
      trial.clock.advance(100);
    }
    assert.deepEqual(trial.images, ['a']);
    trial.finish();
    await settle();
    assert.deepEqual(trial.images, ['a', 'd']);
    assert.equal(statistics.skipped, 2);
    assert.deepEqual(
      trial.frames.map(({ number }) => number),
      [1, 2],
    );
  });

  it('asks for the next snapshot only when the flow is done', async () => {
    const source = new FakeSource(false);
    let asked = 0;
    source.next = async () => Buffer.from(String(++asked));
    trial.open(source);
    await settle();
    trial.clock.advance(10_000);
    await settle();
    assert.equal(asked, 1);
    trial.finish();
    await settle();
    assert.deepEqual(trial.images, ['1', '2']);
  });

  it('sends nothing for as long as the flow wants no frame', async () => {
    trial.open(new FakeSource(false));
    await settle();
    trial.finish(3000);
    await settle();
    trial.clock.advance(2999);
    await settle();
    assert.equal(trial.frames.length, 1);
    trial.clock.advance(1);
    await settle();
    assert.equal(trial.frames.length, 2);
  });

  it('sends no more than the rate says', async () => {
    trial.open(new FakeSource(false), { rate: 2, pace: 'fixed' });
    await settle();
    for (let step = 0; step < 40; step++) {
      trial.clock.advance(50);
      await settle();
    }
    // At 0, 0.5, … 2 s, whatever the flow does.
    assert.equal(trial.frames.length, 5);
  });

  it('sends nothing by itself where it is asked for each frame', async () => {
    const source = new FakeSource(false);
    const opened = trial.open(source, { pace: 'manual' });
    await settle();
    trial.clock.advance(60_000);
    await settle();
    assert.equal(source.opened, 0);
    const frame = await opened.next(new AbortController().signal);
    assert.equal(frame.number, 1);
    assert.deepEqual(trial.frames, []);
    assert.deepEqual(trial.told, ['connecting', 'online']);
  });

  it('gives a frame that is asked for between those that go out', async () => {
    const source = new FakeSource(true);
    const opened = trial.open(source);
    await settle();
    source.push(Buffer.from('a'));
    await settle();
    const asked = opened.next(new AbortController().signal);
    await settle();
    source.push(Buffer.from('b'));
    assert.equal((await asked).image.toString(), 'b');
    assert.deepEqual(trial.images, ['a']);
  });

  it('connects for one frame where it is stopped', async () => {
    const source = new FakeSource(false);
    const opened = trial.open(source);
    await opened.stop();
    const { image } = await opened.next(new AbortController().signal);
    assert.equal(image.toString(), 'frame');
    assert.equal(source.open_, 0);
    assert.equal(opened.state.reason, 'stopped');
  });

  it('connects again after longer and longer pauses, and says once that it is offline', async () => {
    const source = new FakeSource(true);
    trial.open(source);
    await settle();
    for (const pause of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      source.push(new CameraError('unreachable', 'gone'));
      await settle();
      assert.deepEqual(trial.clock.pending(), [pause]);
      trial.clock.advance(pause);
      await settle();
    }
    assert.deepEqual(trial.told, ['connecting', 'unreachable']);
    source.push(Buffer.from('a'));
    await settle();
    assert.deepEqual(trial.told, ['connecting', 'unreachable', 'online']);
  });

  it('begins with the short pause again after a connection that lasted', async () => {
    const source = new FakeSource(true);
    trial.open(source);
    await settle();
    source.push(new CameraError('timeout', 'late'));
    await settle();
    trial.clock.advance(1000);
    await settle();
    source.push(Buffer.from('a'));
    await settle();
    trial.clock.advance(11_000);
    source.push(new CameraError('timeout', 'late'));
    await settle();
    await settle();
    assert.ok(trial.clock.pending().includes(1000));
  });

  it('waits long before it sends a password again that was refused', async () => {
    const source = new FakeSource(true);
    trial.open(source);
    await settle();
    source.push(new CameraError('login', 'refused'));
    await settle();
    assert.deepEqual(trial.clock.pending(), [30_000]);
  });

  it('says why to who asks for a frame while it is offline', async () => {
    const source = new FakeSource(true);
    const opened = trial.open(source);
    await settle();
    const asked = opened.next(new AbortController().signal);
    await settle();
    source.push(new CameraError('refused', 'status 500'));
    await assert.rejects(asked, { reason: 'refused' });
    await settle();
    await assert.rejects(opened.next(new AbortController().signal), { reason: 'refused' });
  });

  it('stops at the end of a video, and plays it again when it is started', async () => {
    const source = new FakeSource(false);
    const left = [Buffer.from('a'), Buffer.from('b')];
    source.next = async () => left.shift();
    const opened = trial.open(source);
    await settle();
    trial.clock.advance(100);
    trial.finish();
    await settle();
    trial.clock.advance(100);
    trial.finish();
    await settle();
    assert.deepEqual(trial.images, ['a', 'b']);
    assert.equal(opened.state.reason, 'ended');
    left.push(Buffer.from('c'));
    opened.start();
    await settle();
    assert.deepEqual(trial.images, ['a', 'b', 'c']);
  });

  it('has nothing open when it has stopped, and ends who waits', async () => {
    const source = new FakeSource(true);
    const opened = trial.open(source);
    await settle();
    const asked = opened.next(new AbortController().signal);
    asked.catch(() => {});
    await opened.stop();
    await assert.rejects(asked, { reason: 'stopped' });
    assert.equal(source.open_, 0);
    assert.deepEqual(trial.clock.pending(), []);
    opened.start();
    await settle();
    assert.equal(source.open_, 1);
  });

  it('never has two connections, however often it is started and stopped', async () => {
    const source = new FakeSource(true);
    let most = 0;
    const opened = trial.open(source, { onState: () => (most = Math.max(most, source.open_)) });
    for (let round = 0; round < 20; round++) {
      void opened.stop();
      opened.start();
      if (round % 3 === 0) await settle();
      most = Math.max(most, source.open_);
    }
    await opened.stop();
    assert.equal(most, 1);
    assert.equal(source.open_, 0);
  });

  describe('with a motion gate', () => {
    const gate = {
      moved: true,
      passed: [] as string[],
      async hasMoved(): Promise<boolean> {
        return this.moved;
      },
      async pass(image: Buffer): Promise<void> {
        this.passed.push(image.toString());
      },
    };

    it('keeps back what has not moved, says so once, and lets one through now and then', async () => {
      Object.assign(gate, { moved: true, passed: [] });
      const source = new FakeSource(true);
      const { statistics } = trial.open(source, {
        pace: 'fixed',
        motion: { gate, keepAlive: 1000 },
        deliver: async (frame) => {
          trial.frames.push(frame);
          return 0;
        },
      });
      await settle();
      for (let step = 0; step < 23; step++) {
        gate.moved = step === 0 || step === 20;
        source.push(Buffer.from(String(step)));
        await settle();
        trial.clock.advance(100);
      }
      assert.deepEqual(trial.images, ['0', '10', '20']);
      assert.deepEqual(gate.passed, ['0', '10', '20']);
      assert.equal(statistics.unchanged, 20);
      assert.deepEqual(
        trial.states.map(({ still }) => still),
        [false, false, true, false, true],
      );
    });

    it('lets through what it cannot read', async () => {
      const source = new FakeSource(true);
      const broken = {
        hasMoved: () => Promise.reject(new Error('no picture')),
        pass: () => Promise.reject(new Error()),
      };
      trial.open(source, { pace: 'fixed', motion: { gate: broken, keepAlive: 1000 } });
      await settle();
      source.push(Buffer.from('x'));
      await settle();
      assert.deepEqual(trial.images, ['x']);
    });
  });
});
