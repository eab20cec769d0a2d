/**
 * One query's mask logits at the picture's size, a column at a time, without ever making the picture: the
 * network's quarter-size mask goes through x4 upsampling, crop and the resize to the source in one step per
 * axis, and only where the result can be positive.
 */
import { type TripleAxis, enlargedAxis } from './interpolate.ts';

/** Where the network's masks lie in the source picture; sizes in pixels. */
export interface MaskGeometry {
  /** The masks' own size: a quarter of the padded network input. */
  maskWidth: number;
  maskHeight: number;
  /** The network input before padding. */
  networkWidth: number;
  networkHeight: number;
  /** The source picture. */
  width: number;
  height: number;
}

/** A query's mask, stored column by column, and where in each column it is positive. */
export interface MaskColumns {
  /** Whether it is the mask of the mirrored picture: the picture's columns are then taken from right to left. */
  mirrored: boolean;
  values: Float32Array;
  /** First positive row of each column, and one past the last; an empty column has from >= to. */
  from: Int32Array;
  to: Int32Array;
}

/** Stores `mask` [maskHeight, maskWidth] by columns. */
export function maskColumns(
  mask: Float32Array,
  maskWidth: number,
  maskHeight: number,
  mirrored = false,
): MaskColumns {
  const values = new Float32Array(mask.length);
  const from = new Int32Array(maskWidth).fill(maskHeight);
  const to = new Int32Array(maskWidth);
  for (let y = 0, at = 0; y < maskHeight; y++) {
    for (let x = 0; x < maskWidth; x++, at++) {
      const value = mask[at]!;
      values[x * maskHeight + y] = value;
      if (value > 0) {
        if (from[x] === maskHeight) from[x] = y;
        to[x] = y + 1;
      }
    }
  }
  return { mirrored, values, from, to };
}

/**
 * For each input position the first output position that takes from it or from a later one, and the last that
 * takes from it or from an earlier one: the outputs of the inputs a..b are first[a]..last[b].
 */
function reach(axis: TripleAxis): { first: Int32Array; last: Int32Array } {
  const first = new Int32Array(axis.inSize).fill(axis.outSize);
  const last = new Int32Array(axis.inSize).fill(-1);
  for (let i = 0; i < axis.outSize; i++) {
    const start = axis.first[i]!;
    if (first[start + 2] === axis.outSize) first[start + 2] = i;
    last[start] = i;
  }
  for (let at = axis.inSize - 2; at >= 0; at--) first[at] = Math.min(first[at]!, first[at + 1]!);
  for (let at = 1; at < axis.inSize; at++) last[at] = Math.max(last[at]!, last[at - 1]!);
  return { first, last };
}

/** Computes columns of masks at the picture's size. One is made per picture; it owns the buffers it works in. */
export class MaskUpsampler {
  /** The last column's values; valid from row `from` to before row `to`, not positive elsewhere. */
  readonly values: Float32Array;
  from = 0;
  to = 0;

  readonly #geometry: MaskGeometry;
  readonly #across: TripleAxis;
  readonly #down: TripleAxis;
  readonly #acrossReach: { first: Int32Array; last: Int32Array };
  readonly #downReach: { first: Int32Array; last: Int32Array };
  /** A column of the mask after the horizontal step. */
  readonly #column: Float64Array;

  constructor(geometry: MaskGeometry) {
    this.#geometry = geometry;
    this.#across = enlargedAxis(geometry.maskWidth, geometry.networkWidth, geometry.width);
    this.#down = enlargedAxis(geometry.maskHeight, geometry.networkHeight, geometry.height);
    this.#acrossReach = reach(this.#across);
    this.#downReach = reach(this.#down);
    this.#column = new Float64Array(geometry.maskHeight);
    this.values = new Float32Array(geometry.height);
  }

  /** The picture's columns [from, to) that can hold positive values of this mask. */
  extent(mask: MaskColumns): { from: number; to: number } {
    const { width } = this.#geometry;
    let from = width;
    let to = 0;
    for (let x = 0; x < mask.from.length; x++) {
      if (mask.from[x]! >= mask.to[x]!) continue;
      from = Math.min(from, this.#acrossReach.first[x]!);
      to = Math.max(to, this.#acrossReach.last[x]! + 1);
    }
    return mask.mirrored ? { from: width - to, to: width - from } : { from, to };
  }

  /** Computes column `x` of the picture into `values`; false where nothing in it can be positive. */
  sample(mask: MaskColumns, x: number): boolean {
    const { maskHeight } = this.#geometry;
    const { from, to } = mask;
    const column = this.#column;
    const start = this.#across.first[this.#columnOf(mask, x)]!;
    let top = maskHeight;
    let bottom = 0;
    for (let k = start; k < start + 3; k++) {
      if (from[k]! < top) top = from[k]!;
      if (to[k]! > bottom) bottom = to[k]!;
    }
    if (top >= bottom) return this.#none();

    // Two rows more on either side: a positive row's outputs also take from its neighbours.
    const low = Math.max(0, top - 2);
    const high = Math.min(maskHeight, bottom + 2);
    this.#blend(mask, x, low, high);
    let first = low;
    while (first < high && !(column[first]! > 0)) first++;
    if (first === high) return this.#none();
    let last = high - 1;
    while (!(column[last]! > 0)) last--;

    this.from = this.#downReach.first[first]!;
    this.to = this.#downReach.last[last]! + 1;
    const firsts = this.#down.first;
    const downWeights = this.#down.weights;
    const out = this.values;
    for (let y = this.from, k = 3 * y; y < this.to; y++, k += 3) {
      const at = firsts[y]!;
      out[y] =
        downWeights[k]! * column[at]! +
        downWeights[k + 1]! * column[at + 1]! +
        downWeights[k + 2]! * column[at + 2]!;
    }
    return this.from < this.to;
  }

  /** Adds the rows [from, to) of column `x` to `sums`, whatever their sign. */
  add(mask: MaskColumns, x: number, rows: { from: number; to: number }, sums: Float64Array): void {
    const { first: firsts, weights } = this.#down;
    const column = this.#column;
    this.#blend(mask, x, firsts[rows.from]!, firsts[rows.to - 1]! + 3);
    for (let y = rows.from, k = 3 * y; y < rows.to; y++, k += 3) {
      const at = firsts[y]!;
      sums[y]! +=
        weights[k]! * column[at]! + weights[k + 1]! * column[at + 1]! + weights[k + 2]! * column[at + 2]!;
    }
  }

  /** The column of the picture that the network saw. */
  #columnOf({ mirrored }: MaskColumns, x: number): number {
    return mirrored ? this.#geometry.width - 1 - x : x;
  }

  /** The horizontal step: the mask's rows [low, high) at column `x` of the picture, into `#column`. */
  #blend(mask: MaskColumns, x: number, low: number, high: number): void {
    const { maskHeight } = this.#geometry;
    const { values } = mask;
    const seen = this.#columnOf(mask, x);
    const { first, weights } = this.#across;
    const left = weights[3 * seen]!;
    const middle = weights[3 * seen + 1]!;
    const right = weights[3 * seen + 2]!;
    const column = this.#column;
    for (let y = low, at = first[seen]! * maskHeight + low; y < high; y++, at++) {
      column[y] =
        left * values[at]! + middle * values[at + maskHeight]! + right * values[at + 2 * maskHeight]!;
    }
  }

  #none(): false {
    this.from = this.to = 0;
    return false;
  }
}
