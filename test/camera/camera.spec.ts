import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { Camera, type CameraOptions, type CameraState } from '../../src/camera/camera.ts';
import { CameraError } from '../../src/camera/camera-error.ts';
import { FrameLine, type FrameTurn } from '../../src/camera/frame-line.ts';
import type { Frame, FrameSource } from '../../src/camera/types.ts';
import { FakeClock } from '../engine/support/fakes.ts';

/** A camera in the hand of the test. */
class FakeSource implements FrameSource {
  readonly isLive: boolean;
  isComplete = false;
  opened = 0;
  open_ = 0;
  /** What the next frame is; a promise: it waits. */
  next: () => Promise<Buffer | undefined> = async () => Buffer.from('frame');
  #push: PromiseWithResolvers<Buffer | Error | undefined> = Promise.withResolvers();

  constructor(isLive: boolean) {
    this.isLive = isLive;
  }

  /** A frame comes, or the connection fails, or ends. */
  push(what: Buffer | Error | undefined): void {
    const { resolve } = this.#push;
    this.#push = Promise.withResolvers();
    resolve(what);
  }

  async *open(signal: AbortSignal): AsyncGenerator<Buffer, void> {
    this.opened++;
    this.open_++;
    try {
      for (;;) {
        const aborted = new Promise<never>((_resolve, reject) => {
          if (signal.aborted) reject(signal.reason as Error);
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
        aborted.catch(() => {});
        const what = await Promise.race([aborted, this.isLive ? this.#push.promise : this.next()]);
        if (what instanceof Error) throw what;
        if (what === undefined) return;
        yield what;
      }
    } finally {
      this.open_--;
    }
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await setImmediate();
}

describe('Camera', () => {
  let clock: FakeClock;
  let frames: Frame[];
  let states: CameraState[];
  let finish: () => void;
  let camera: Camera | undefined;

  beforeEach(() => {
    clock = new FakeClock();
    frames = [];
    states = [];
    finish = () => {};
  });
  afterEach(() => camera?.stop());

  const open = (source: FrameSource, more: Partial<CameraOptions> = {}): Camera => {
    camera = new Camera({
      source,
      pace: 'flow',
      rate: undefined,
      clock,
      random: () => 0.5,
      deliver: (frame) => {
        frames.push(frame);
        const { promise, resolve } = Promise.withResolvers<void>();
        finish = resolve;
        return promise;
      },
      onState: (state) => states.push(state),
      ...more,
    });
    camera.start();
    return camera;
  };
  const images = (): string[] => frames.map(({ image }) => image.toString());
  const told = (): (string | null)[] => states.map(({ state, reason }) => reason ?? state);

  it('sends the newest frame when the flow is done with the one before, and counts those between', async () => {
    const source = new FakeSource(true);
    const { statistics } = open(source);
    await settle();
    for (const name of ['a', 'b', 'c', 'd']) {
      source.push(Buffer.from(name));
      await settle();
      clock.advance(100);
    }
    assert.deepEqual(images(), ['a']);
    finish();
    await settle();
    assert.deepEqual(images(), ['a', 'd']);
    assert.equal(statistics.skipped, 2);
    assert.deepEqual(
      frames.map(({ number }) => number),
      [1, 2],
    );
  });

  it('asks for the next snapshot only when the flow is done', async () => {
    const source = new FakeSource(false);
    let asked = 0;
    source.next = async () => Buffer.from(String(++asked));
    open(source);
    await settle();
    clock.advance(10_000);
    await settle();
    assert.equal(asked, 1);
    finish();
    await settle();
    assert.deepEqual(images(), ['1', '2']);
  });

  it('sends no more than the rate says', async () => {
    open(new FakeSource(false), { rate: 2, pace: 'fixed' });
    await settle();
    for (let step = 0; step < 40; step++) {
      clock.advance(50);
      await settle();
    }
    // At 0, 0.5, … 2 s, whatever the flow does.
    assert.equal(frames.length, 5);
  });

  it('sends nothing by itself where it is asked for each frame', async () => {
    const source = new FakeSource(false);
    const opened = open(source, { pace: 'manual' });
    await settle();
    clock.advance(60_000);
    await settle();
    assert.equal(source.opened, 0);
    const frame = await opened.next(new AbortController().signal);
    assert.equal(frame.number, 1);
    assert.deepEqual(frames, []);
    assert.deepEqual(told(), ['connecting', 'online']);
  });

  it('gives a frame that is asked for between those that go out', async () => {
    const source = new FakeSource(true);
    const opened = open(source);
    await settle();
    source.push(Buffer.from('a'));
    await settle();
    const asked = opened.next(new AbortController().signal);
    await settle();
    source.push(Buffer.from('b'));
    assert.equal((await asked).image.toString(), 'b');
    assert.deepEqual(images(), ['a']);
  });

  it('connects for one frame where it is stopped', async () => {
    const source = new FakeSource(false);
    const opened = open(source);
    await opened.stop();
    const { image } = await opened.next(new AbortController().signal);
    assert.equal(image.toString(), 'frame');
    assert.equal(source.open_, 0);
    assert.equal(opened.state.reason, 'stopped');
  });

  it('connects again after longer and longer pauses, and says once that it is offline', async () => {
    const source = new FakeSource(true);
    open(source);
    await settle();
    for (const pause of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      source.push(new CameraError('unreachable', 'gone'));
      await settle();
      assert.deepEqual(clock.pending(), [pause]);
      clock.advance(pause);
      await settle();
    }
    assert.deepEqual(told(), ['connecting', 'unreachable']);
    source.push(Buffer.from('a'));
    await settle();
    assert.deepEqual(told(), ['connecting', 'unreachable', 'online']);
  });

  it('begins with the short pause again after a connection that lasted', async () => {
    const source = new FakeSource(true);
    open(source);
    await settle();
    source.push(new CameraError('timeout', 'late'));
    await settle();
    clock.advance(1000);
    await settle();
    source.push(Buffer.from('a'));
    await settle();
    clock.advance(11_000);
    source.push(new CameraError('timeout', 'late'));
    await settle();
    await settle();
    assert.ok(clock.pending().includes(1000));
  });

  it('waits long before it sends a password again that was refused', async () => {
    const source = new FakeSource(true);
    open(source);
    await settle();
    source.push(new CameraError('login', 'refused'));
    await settle();
    assert.deepEqual(clock.pending(), [30_000]);
  });

  it('says why to who asks for a frame while it is offline', async () => {
    const source = new FakeSource(true);
    const opened = open(source);
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
    const opened = open(source);
    await settle();
    clock.advance(100);
    finish();
    await settle();
    clock.advance(100);
    finish();
    await settle();
    assert.deepEqual(images(), ['a', 'b']);
    assert.equal(opened.state.reason, 'ended');
    left.push(Buffer.from('c'));
    opened.start();
    await settle();
    assert.deepEqual(images(), ['a', 'b', 'c']);
  });

  it('has nothing open when it has stopped, and ends who waits', async () => {
    const source = new FakeSource(true);
    const opened = open(source);
    await settle();
    const asked = opened.next(new AbortController().signal);
    asked.catch(() => {});
    await opened.stop();
    await assert.rejects(asked, { reason: 'stopped' });
    assert.equal(source.open_, 0);
    assert.deepEqual(clock.pending(), []);
    opened.start();
    await settle();
    assert.equal(source.open_, 1);
  });

  it('never has two connections, however often it is started and stopped', async () => {
    const source = new FakeSource(true);
    let most = 0;
    const opened = open(source, { onState: () => (most = Math.max(most, source.open_)) });
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
      const { statistics } = open(source, {
        pace: 'fixed',
        motion: { gate, keepAlive: 1000 },
        deliver: async (frame) => void frames.push(frame),
      });
      await settle();
      for (let step = 0; step < 23; step++) {
        gate.moved = step === 0 || step === 20;
        source.push(Buffer.from(String(step)));
        await settle();
        clock.advance(100);
      }
      assert.deepEqual(images(), ['0', '10', '20']);
      assert.deepEqual(gate.passed, ['0', '10', '20']);
      assert.equal(statistics.unchanged, 20);
      assert.deepEqual(
        states.map(({ still }) => still),
        [false, false, true, false, true],
      );
    });

    it('lets through what it cannot read', async () => {
      const source = new FakeSource(true);
      const broken = {
        hasMoved: () => Promise.reject(new Error('no picture')),
        pass: () => Promise.reject(new Error()),
      };
      open(source, { pace: 'fixed', motion: { gate: broken, keepAlive: 1000 } });
      await settle();
      source.push(Buffer.from('x'));
      await settle();
      assert.deepEqual(images(), ['x']);
    });
  });

  describe('in line with others', () => {
    let line: FrameLine;
    let other: FrameTurn;

    beforeEach(() => {
      line = new FrameLine(() => 1, clock);
      other = line.join(() => {});
      other.sent();
    });
    const letGo = async (): Promise<void> => {
      other.leave();
      await settle();
    };

    it('takes the newest frame when it is its turn', async () => {
      const source = new FakeSource(true);
      const { statistics } = open(source, { line: () => line });
      await settle();
      // The first frame says that it is online.
      for (const name of ['a', 'b', 'c']) {
        source.push(Buffer.from(name));
        await settle();
      }
      assert.deepEqual(images(), []);
      await letGo();
      assert.deepEqual(images(), ['c']);
      assert.equal(statistics.skipped, 2);
    });

    it('asks for a snapshot when it is its turn, and for the first one at once, to know whether it is online', async () => {
      const source = new FakeSource(false);
      let asked = 0;
      source.next = async () => Buffer.from(String(++asked));
      open(source, { line: () => line });
      await settle();
      assert.deepEqual(images(), ['1']);
      finish();
      await settle();
      clock.advance(10_000);
      await settle();
      assert.equal(asked, 1);
      await letGo();
      assert.deepEqual(images(), ['1', '2']);
    });

    it('gives its turn to the others when it goes offline or stops, and when its frame is done', async () => {
      const source = new FakeSource(true);
      const opened = open(source, { line: () => line });
      await settle();
      source.push(Buffer.from('a'));
      await letGo();
      const next = line.join(() => {});
      assert.equal(next.isNow, false);
      finish();
      await settle();
      assert.equal(next.isNow, true);
      source.push(Buffer.from('b'));
      await settle();
      source.push(new CameraError('unreachable', 'gone'));
      await settle();
      next.leave();
      const last = line.join(() => {});
      assert.equal(last.isNow, true);
      last.leave();
      await opened.stop();
      assert.equal(line.join(() => {}).isNow, true);
    });

    it('takes no turn at a fixed rate', async () => {
      const source = new FakeSource(true);
      open(source, { line: () => line, pace: 'fixed' });
      await settle();
      source.push(Buffer.from('a'));
      await settle();
      assert.deepEqual(images(), ['a']);
    });

    describe('with a motion gate', () => {
      let moved: string[];
      const gate = {
        hasMoved: async (image: Buffer) => moved.includes(image.toString()),
        pass: async () => {},
      };
      const openWithGate = (source: FakeSource): Camera =>
        open(source, { line: () => line, motion: { gate, keepAlive: 60_000 } });

      it('keeps the last frame in which something moved until its turn', async () => {
        moved = ['b', 'c'];
        const source = new FakeSource(true);
        const { statistics } = openWithGate(source);
        await letGo();
        source.push(Buffer.from('first'));
        await settle();
        finish();
        await settle();
        other.sent();
        for (const name of ['a', 'b', 'c', 'd']) {
          clock.advance(100);
          source.push(Buffer.from(name));
          await settle();
        }
        assert.deepEqual(images(), ['first']);
        await letGo();
        assert.deepEqual(images(), ['first', 'c']);
        assert.deepEqual([statistics.skipped, statistics.unchanged], [1, 2]);
      });

      it('leaves out no frame of a file that is read as fast as it is parsed, also not its last', async () => {
        moved = ['1', '2', '3'];
        const source = new FakeSource(false);
        source.isComplete = true;
        let number = 0;
        source.next = async () => (++number > 3 ? undefined : Buffer.from(String(number)));
        openWithGate(source);
        await settle();
        await letGo();
        for (let round = 0; round < 3; round++) {
          clock.advance(100);
          finish();
          await settle();
        }
        assert.deepEqual(images(), ['1', '2', '3']);
        assert.deepEqual(told(), ['connecting', 'online', 'ended']);
      });
    });
  });
});
