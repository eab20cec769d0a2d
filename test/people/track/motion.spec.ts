/** Where people are expected, also those of whom only a sliver was seen. */
import assert from 'node:assert/strict';
import { Motion, type Place } from '../../../src/people/track/motion.ts';

/** Heights of the picture per second, and of a person. */
const SPEED = 0.3;
const HEIGHT = 0.5;
const INTERVAL = 0.5;

const whole = (second: number): Place => ({ x: SPEED * second, y: 0.5, width: 0.2, height: HEIGHT });
/** A foot that an edge, or somebody in front, has left of it. */
const sliver = (second: number): Place => ({ x: SPEED * second, y: 0.73, width: 0.02, height: 0.02 });

describe('the motion of somebody', () => {
  /** Seen at these places, in steps of half a second. @returns what is expected, and how far off that is, in heights of the person */
  function expectedAfter(places: ((second: number) => Place)[]) {
    const motion = new Motion(places[0]!(0), 0);
    places.slice(1).forEach((place, step) => {
      const time = (step + 1) * INTERVAL;
      motion.correct(place(time), time);
    });
    const next = places.length * INTERVAL;
    const expected = motion.expect(next);
    return { expected, off: Math.abs(expected.x - whole(next).x) / HEIGHT };
  }

  it('goes on as it was', () => {
    const { expected, off } = expectedAfter([whole, whole, whole, whole]);
    assert.ok(off < 0.05, `${off}`);
    assert.ok(Math.abs(expected.height - HEIGHT) < 0.01);
  });

  it('is learned at once of who comes in at an edge, and was a sliver first', () => {
    const { expected, off } = expectedAfter([sliver, whole, whole]);
    assert.ok(off < 0.15, `${off}`);
    assert.ok(Math.abs(expected.height - HEIGHT) < 0.05, `${expected.height}`);
    assert.ok(Math.abs(expected.y - 0.5) / HEIGHT < 0.1, `${expected.y}`);
  });

  it('is no surer for a sliver than for the whole', () => {
    const { deviationX, deviationY } = expectedAfter([whole, whole, whole, sliver]).expected;
    const sure = expectedAfter([whole, whole, whole, whole]).expected;
    assert.ok(deviationX >= sure.deviationX, `${deviationX} ${sure.deviationX}`);
    assert.ok(deviationY >= sure.deviationY, `${deviationY} ${sure.deviationY}`);
  });
});
