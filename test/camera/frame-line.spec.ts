import assert from 'node:assert/strict';
import { FrameLine, type FrameTurn } from '../../src/camera/frame-line.ts';
import { FakeClock } from '../engine/support/fakes.ts';

describe('FrameLine', () => {
  let clock: FakeClock;
  let room: number;
  let line: FrameLine;
  /** Names of cameras, in the order in which they were called. */
  let called: string[];

  beforeEach(() => {
    clock = new FakeClock();
    room = 2;
    line = new FrameLine(() => room, clock);
    called = [];
  });

  /** Cameras of these names that want a frame. */
  const join = (...names: string[]): FrameTurn[] =>
    names.map((name) => {
      const turn = line.join(() => called.push(name));
      void turn.isNow;
      return turn;
    });

  it('lets no more go than there is room for, and the next one when one is done', () => {
    const turns = join('a', 'b', 'c', 'd');
    assert.deepEqual(called, ['a', 'b']);
    assert.deepEqual(
      turns.map(({ isNow }) => isNow),
      [true, true, false, false],
    );
    for (const turn of turns.slice(0, 2)) turn.sent();
    turns[1]!.leave();
    assert.deepEqual(called, ['a', 'b', 'c']);
  });

  it('lets all of them have a turn before one has its second', () => {
    const turns = join('a', 'b', 'c', 'd', 'e');
    const byName = new Map(['a', 'b', 'c', 'd', 'e'].map((name, index) => [name, turns[index]!]));
    for (let step = 0; step < 40; step++) {
      const turn = byName.get(called[step]!)!;
      turn.sent();
      turn.leave();
      void turn.isNow;
    }
    for (let round = 0; round + 5 <= 40; round += 5)
      assert.equal(new Set(called.slice(round, round + 5)).size, 5, called.join(''));
  });

  it('does not wait for one that leaves', () => {
    const [, b, c] = join('a', 'b', 'c', 'd');
    c!.leave();
    b!.leave();
    assert.deepEqual(called, ['a', 'b', 'd']);
  });

  it('lets another one go where a frame is long in coming, and that frame then, too', () => {
    const [a] = join('a', 'b', 'c', 'd');
    clock.advance(299);
    assert.deepEqual(called, ['a', 'b']);
    clock.advance(1);
    assert.deepEqual(called, ['a', 'b', 'c', 'd']);
    assert.equal(a!.isNow, true);
    a!.sent();
    join('e', 'f');
    assert.deepEqual(called.slice(4), []);
    a!.arrived();
    clock.advance(300);
    // The places of c and d have lapsed; that of a has not.
    assert.deepEqual(called.slice(4), ['e']);
  });

  it('lets another one go where a frame is long on its way to the model, until it is there', () => {
    const [a, b] = join('a', 'b', 'c', 'd', 'e');
    a!.sent();
    b!.sent();
    b!.arrived();
    clock.advance(200);
    assert.deepEqual(called, ['a', 'b', 'c']);
    a!.arrived();
    clock.advance(10_000);
    // Both are with the model, and the time of c is over.
    assert.deepEqual(called, ['a', 'b', 'c']);
    a!.leave();
    assert.deepEqual(called, ['a', 'b', 'c', 'd']);
  });

  it('lets more of them go when there is more room', () => {
    const [a] = join('a', 'b', 'c', 'd', 'e');
    a!.sent();
    room = 4;
    a!.leave();
    assert.deepEqual(called, ['a', 'b', 'c', 'd', 'e']);
  });

  it('leaves no timer behind', () => {
    for (const turn of join('a', 'b', 'c')) turn.leave();
    assert.deepEqual(clock.pending(), []);
  });
});
