/**
 * Where people are expected: a Kalman filter of constant velocity for the middle and the size of their boxes (A. Bewley et al.,
 * "Simple Online and Realtime Tracking", 2016), with real time between frames in place of a fixed rate. Lengths are in heights
 * of the picture, so that another size of it changes nothing.
 */

/** The middle of a box, its width and height, in heights of the picture. */
export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Of the box's own height, or of it per second. */
const MEASURED = 0.05;
const SPEED = 0.8;
const ACCELERATION = 0.7;
/** Of sizes, which change more slowly, and are measured worse: arms swing, legs are hidden. */
const SIZE_MEASURED = 0.1;
const SIZE_ACCELERATION = 0.5;
/** How much higher than expected somebody must be to have been no more than a sliver before: who comes in at an edge. */
const SLIVER = 1.5;
/** Seconds for which somebody who is not seen is believed to go on. */
const BELIEF = 2;

/** One axis: value, speed, and their covariance. */
interface Axis {
  value: number;
  speed: number;
  vv: number;
  vs: number;
  ss: number;
}

/** A place that is expected, and how sure that is. */
export interface Expected extends Place {
  /** Standard deviations of the middle. */
  deviationX: number;
  deviationY: number;
}

const AXES = ['x', 'y', 'width', 'height'] as const;
type AxisName = (typeof AXES)[number];
type Axes = Record<AxisName, Axis>;

/** What a single sight of somebody tells. */
function firstAxes(place: Place): Axes {
  const { height } = place;
  const axis = (name: AxisName): Axis => {
    const measured = height * (isSize(name) ? SIZE_MEASURED : MEASURED);
    const speed = isSize(name) ? 0.1 * height : SPEED * height;
    return { value: place[name], speed: 0, vv: measured ** 2, vs: 0, ss: speed ** 2 };
  };
  return { x: axis('x'), y: axis('y'), width: axis('width'), height: axis('height') };
}

function isSize(name: AxisName): boolean {
  return name === 'width' || name === 'height';
}

/** As for somebody new, but for the speed: where a sliver had its middle says little of where the whole has it. */
function outgrown(axes: Axes, place: Place): Axes {
  const first = firstAxes(place);
  const going = (name: AxisName): Axis => {
    const { speed, ss } = axes[name];
    return { ...first[name], speed, ss: Math.max(ss, first[name].ss) };
  };
  return { ...first, x: going('x'), y: going('y') };
}

export class Motion {
  #axes: Axes;
  /** Seconds. */
  #time: number;

  /** @param time seconds, on the clock of {@link expect} and {@link correct} */
  constructor(place: Place, time: number) {
    this.#axes = firstAxes(place);
    this.#time = time;
  }

  /** Heights of the picture per second, sideways and down. */
  get velocity(): { x: number; y: number } {
    return { x: this.#axes.x.speed, y: this.#axes.y.speed };
  }

  /** Where the box is at a time, as far as is known now. */
  expect(time: number): Expected {
    const ahead = this.#ahead(time);
    return {
      x: ahead.x.value,
      y: ahead.y.value,
      width: Math.max(ahead.width.value, 1e-6),
      height: Math.max(ahead.height.value, 1e-6),
      deviationX: Math.sqrt(ahead.x.vv),
      deviationY: Math.sqrt(ahead.y.vv),
    };
  }

  /** Learns where the box was. */
  correct(place: Place, time: number): void {
    const expected = this.#ahead(time);
    const ahead = place.height > SLIVER * expected.height.value ? outgrown(expected, place) : expected;
    // The middle of a sliver says no more of where somebody is than that of the whole.
    const height = Math.max(place.height, ahead.height.value);
    // Of somebody who is half hidden, the middle lies elsewhere, by half of what is missing: now, or before.
    const grown = {
      x: (place.width - ahead.width.value) / 2,
      y: (place.height - ahead.height.value) / 2,
      width: 0,
      height: 0,
    };
    for (const name of AXES) {
      const noise = (height * (isSize(name) ? SIZE_MEASURED : MEASURED)) ** 2 + Math.min(grown[name], 0) ** 2;
      const { value, speed, vs, ss } = ahead[name];
      const vv = ahead[name].vv + Math.max(grown[name], 0) ** 2;
      const gain = vv / (vv + noise);
      const gainOfSpeed = vs / (vv + noise);
      const error = place[name] - value;
      this.#axes[name] = {
        value: value + gain * error,
        speed: speed + gainOfSpeed * error,
        vv: (1 - gain) * vv,
        vs: (1 - gain) * vs,
        ss: ss - gainOfSpeed * vs,
      };
    }
    this.#time = Math.max(time, this.#time);
  }

  #ahead(time: number): Axes {
    const seconds = Math.max(0, time - this.#time);
    // The farther ahead, the less is a speed believed.
    const way = BELIEF * (1 - Math.exp(-seconds / BELIEF));
    const height = Math.max(this.#axes.height.value, 1e-6);
    const axis = (name: AxisName): Axis => {
      const { value, speed, vv, vs, ss } = this.#axes[name];
      const noise = (height * (isSize(name) ? SIZE_ACCELERATION : ACCELERATION)) ** 2;
      return {
        value: value + speed * way,
        speed,
        vv: vv + 2 * vs * way + ss * way ** 2 + (noise * seconds ** 4) / 4,
        vs: vs + ss * way + (noise * seconds ** 3) / 2,
        ss: ss + noise * seconds ** 2,
      };
    };
    return { x: axis('x'), y: axis('y'), width: axis('width'), height: axis('height') };
  }
}
