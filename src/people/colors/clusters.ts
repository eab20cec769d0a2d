/** Groups of like colours in a patch of pixels. */
import type { Oklab } from './oklab.ts';

/** Of lightness in a distance: a fold is darker than its cloth and has the same colour. */
const LIGHTNESS_WEIGHT = 0.5;
const ROUNDS = 6;

/**
 * Sorts colours into up to `count` groups of like ones (k-means, begun with the colours that lie farthest apart): the
 * same every time.
 *
 * @param samples three numbers a colour, Oklab
 * @returns for each group the indices of its samples; none is empty
 */
export function clustersOf(samples: Float32Array, count: number): number[][] {
  const size = samples.length / 3;
  if (size === 0) return [];
  const centres = farApart(samples, Math.min(count, size));
  const owners = new Uint8Array(size);
  for (let round = 0; round < ROUNDS && assign(samples, centres, owners); round++) {
    moveCentres(samples, centres, owners);
  }
  const groups = Array.from({ length: centres.length / 3 }, (): number[] => []);
  for (let i = 0; i < size; i++) groups[owners[i]!]!.push(i);
  return groups.filter((group) => group.length > 0);
}

/** From the colour at `i` of `samples` to that at `c` of `centres`, squared. */
function distance(samples: Float32Array, i: number, centres: Float32Array, c: number): number {
  const l = LIGHTNESS_WEIGHT * (samples[3 * i]! - centres[3 * c]!);
  const a = samples[3 * i + 1]! - centres[3 * c + 1]!;
  const b = samples[3 * i + 2]! - centres[3 * c + 2]!;
  return l * l + a * a + b * b;
}

/** The colour nearest to the mean of all, then each time the one that is farthest from those before. */
function farApart(samples: Float32Array, count: number): Float32Array {
  const size = samples.length / 3;
  const centres = new Float32Array(3 * count);
  moveCentres(samples, centres.subarray(0, 3), new Uint8Array(size));
  const nearest = Float64Array.from({ length: size }, (_, i) => -distance(samples, i, centres, 0));
  for (let c = 0; c < count; c++) {
    const next = nearest.indexOf(nearest.reduce((most, value) => Math.max(most, value)));
    centres.set(samples.subarray(3 * next, 3 * next + 3), 3 * c);
    for (let i = 0; i < size; i++) {
      const d = distance(samples, i, centres, c);
      if (c === 0 || d < nearest[i]!) nearest[i] = d;
    }
  }
  return centres;
}

/** Gives each colour the number of the centre nearest to it; whether any has changed. */
function assign(samples: Float32Array, centres: Float32Array, owners: Uint8Array): boolean {
  let hasChanged = false;
  for (let i = 0; i < owners.length; i++) {
    let best = 0;
    let least = Infinity;
    for (let c = 0; c < centres.length / 3; c++) {
      const d = distance(samples, i, centres, c);
      if (d < least) [best, least] = [c, d];
    }
    if (owners[i] !== best) hasChanged = true;
    owners[i] = best;
  }
  return hasChanged;
}

/** Moves each centre that has colours to their mean. */
function moveCentres(samples: Float32Array, centres: Float32Array, owners: Uint8Array): void {
  const sums = new Float64Array(centres.length);
  const counts = new Uint32Array(centres.length / 3);
  for (let i = 0; i < owners.length; i++) {
    const c = owners[i]!;
    counts[c]!++;
    for (let j = 0; j < 3; j++) sums[3 * c + j]! += samples[3 * i + j]!;
  }
  for (let k = 0; k < centres.length; k++) {
    const count = counts[Math.floor(k / 3)]!;
    if (count > 0) centres[k] = sums[k]! / count;
  }
}

function meanOf(samples: Float32Array, group: readonly number[]): Oklab {
  let [l, a, b] = [0, 0, 0];
  for (const i of group) {
    l += samples[3 * i]!;
    a += samples[3 * i + 1]!;
    b += samples[3 * i + 2]!;
  }
  return [l / group.length, a / group.length, b / group.length];
}

/** Of the samples of a group by lightness, from the darkest, those from here to there count. */
const FROM = 0.55;
const TO = 0.75;

/**
 * The colour of a group in the light rather than in the shade: the mean of those somewhat lighter than its median, so that
 * neither folds nor gloss count.
 */
export function litColorOf(samples: Float32Array, group: readonly number[]): Oklab {
  const sorted = group.toSorted((i, j) => samples[3 * i]! - samples[3 * j]!);
  const from = Math.floor(FROM * sorted.length);
  return meanOf(samples, sorted.slice(from, Math.max(Math.ceil(TO * sorted.length), from + 1)));
}
