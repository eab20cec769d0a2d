import assert from 'node:assert/strict';
import type { Camera } from '../../src/camera/camera.ts';
import { CameraError } from '../../src/camera/camera-error.ts';
import { FrameLine, type FrameTurn } from '../../src/camera/frame-line.ts';
import { CameraTrial, FakeSource, settle } from './support/camera-trial.ts';

describe('Camera in line with others', () => {
  let trial: CameraTrial;
  let line: FrameLine;
  let other: FrameTurn;

  afterEach(() => trial.stop());
  beforeEach(() => {
    trial = new CameraTrial();
    line = new FrameLine(() => 1, trial.clock);
    other = line.join(() => {});
    other.sent();
    other.arrived();
  });
  const letGo = async (): Promise<void> => {
    other.leave();
    await settle();
  };

  it('takes the newest frame when it is its turn', async () => {
    const source = new FakeSource(true);
    const { statistics } = trial.open(source, { line: () => line });
    await settle();
    // The first frame says that it is online.
    for (const name of ['a', 'b', 'c']) {
      source.push(Buffer.from(name));
      await settle();
    }
    assert.deepEqual(trial.images, []);
    await letGo();
    assert.deepEqual(trial.images, ['c']);
    assert.equal(statistics.skipped, 2);
  });

  it('asks for a snapshot at once, to know whether it is online, and for the one that goes out when it is its turn', async () => {
    const source = new FakeSource(false);
    let asked = 0;
    source.next = async () => Buffer.from(String(++asked));
    const { statistics } = trial.open(source, { line: () => line });
    await settle();
    trial.clock.advance(10_000);
    await settle();
    assert.equal(asked, 1);
    assert.deepEqual(trial.told, ['connecting', 'online']);
    await letGo();
    assert.deepEqual(trial.images, ['2']);
    assert.equal(statistics.skipped, 1);
  });

  it('gives its turn away when it stops, also where nobody tells that its frame is done', async () => {
    const opened = trial.open(new FakeSource(false), { line: () => line });
    await letGo();
    const next = line.join(() => {});
    assert.equal(next.isNow, false);
    await opened.stop();
    assert.equal(next.isNow, true);
    // And takes nobody's when it is told after all.
    next.sent();
    next.arrived();
    opened.start();
    await settle();
    trial.finish();
    trial.clock.advance(1000);
    await settle();
    assert.equal(trial.frames.length, 1);
    next.leave();
    await settle();
    assert.equal(trial.frames.length, 2);
  });

  it('gives its turn to the others when it goes offline or stops, and when its frame is done', async () => {
    const source = new FakeSource(true);
    const opened = trial.open(source, { line: () => line });
    await settle();
    source.push(Buffer.from('a'));
    await letGo();
    const next = line.join(() => {});
    assert.equal(next.isNow, false);
    trial.finish();
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
    trial.open(source, { line: () => line, pace: 'fixed' });
    await settle();
    source.push(Buffer.from('a'));
    await settle();
    assert.deepEqual(trial.images, ['a']);
  });

  describe('with a motion gate', () => {
    let moved: string[];
    const gate = {
      hasMoved: async (image: Buffer) => moved.includes(image.toString()),
      pass: async () => {},
    };
    const openWithGate = (source: FakeSource): Camera =>
      trial.open(source, { line: () => line, motion: { gate, keepAlive: 60_000 } });

    it('keeps the last frame in which something moved until its turn', async () => {
      moved = ['b', 'c'];
      const source = new FakeSource(true);
      const { statistics } = openWithGate(source);
      await letGo();
      source.push(Buffer.from('first'));
      await settle();
      trial.finish();
      await settle();
      other.sent();
      other.arrived();
      for (const name of ['a', 'b', 'c', 'd']) {
        trial.clock.advance(100);
        source.push(Buffer.from(name));
        await settle();
      }
      assert.deepEqual(trial.images, ['first']);
      await letGo();
      assert.deepEqual(trial.images, ['first', 'c']);
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
        trial.clock.advance(100);
        trial.finish();
        await settle();
      }
      assert.deepEqual(trial.images, ['1', '2', '3']);
      assert.deepEqual(trial.told, ['connecting', 'online', 'ended']);
    });
  });
});
