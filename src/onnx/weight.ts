/**
 * Weights as recipes: shapes are known while the graph is built, values are read and computed only when the
 * file is written, one tensor at a time, so that a model of any size converts in little memory.
 */

export interface Weight {
  readonly shape: readonly number[];
  /** The values, row-major; at most a few of them are alive at once, so nothing may keep them. */
  load(): Promise<Float32Array>;
}

/** The number of elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((count, dim) => count * dim, 1);
}

/** A weight whose values are at hand. */
export function literal(
  values: Float32Array | readonly number[],
  shape: readonly number[] = [values.length],
): Weight {
  return { shape, load: () => Promise.resolve(Float32Array.from(values)) };
}

/** The same values in another shape. */
export function reshaped(weight: Weight, shape: readonly number[]): Weight {
  return { shape, load: () => weight.load() };
}

/** Combines the values of several weights into one of shape `shape`. */
export function computed<T extends readonly Weight[]>(
  shape: readonly number[],
  weights: readonly [...T],
  compute: (...values: { [K in keyof T]: Float32Array }) => Float32Array,
): Weight {
  return {
    shape,
    async load() {
      const values: Float32Array[] = [];
      for (const weight of weights) values.push(await weight.load());
      return compute(...(values as { [K in keyof T]: Float32Array }));
    },
  };
}

/** Rows of a matrix (or elements of a vector) in a new order; rows may be left out. */
export function selectRows(weight: Weight, rows: readonly number[]): Weight {
  const size = elements(weight.shape.slice(1));
  return computed([rows.length, ...weight.shape.slice(1)], [weight], (values) => {
    const result = new Float32Array(rows.length * size);
    rows.forEach((row, index) => result.set(values.subarray(row * size, (row + 1) * size), index * size));
    return result;
  });
}

/** Rows `from` to `to` (exclusive). */
export function sliceRows(weight: Weight, from: number, to: number): Weight {
  const size = elements(weight.shape.slice(1));
  return computed([to - from, ...weight.shape.slice(1)], [weight], (values) =>
    values.slice(from * size, to * size),
  );
}

/** Stacks weights along their first dimension. */
export function concatRows(weights: readonly Weight[]): Weight {
  const shape = [weights.reduce((sum, weight) => sum + weight.shape[0]!, 0), ...weights[0]!.shape.slice(1)];
  return computed(shape, weights, (...values) => {
    const result = new Float32Array(elements(shape));
    let offset = 0;
    for (const part of values) {
      result.set(part, offset);
      offset += part.length;
    }
    return result;
  });
}

/** The transpose of a matrix. */
export function transposed(weight: Weight): Weight {
  const [rows, columns] = weight.shape as [number, number];
  return computed([columns, rows], [weight], (values) => {
    const result = new Float32Array(values.length);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]!;
    return result;
  });
}

/** `a` [m, k] times `b` [k, n]; sums in double precision. */
export function product(a: Weight, b: Weight): Weight {
  const [m, k] = a.shape as [number, number];
  const [, n] = b.shape as [number, number];
  return computed([m, n], [a, b], (left, right) => {
    const result = new Float32Array(m * n);
    const row = new Float64Array(n);
    for (let i = 0; i < m; i++) {
      row.fill(0);
      for (let x = 0; x < k; x++) {
        const factor = left[i * k + x]!;
        for (let j = 0; j < n; j++) row[j]! += factor * right[x * n + j]!;
      }
      result.set(row, i * n);
    }
    return result;
  });
}

/** Element by element; `b` is repeated where it has fewer elements (a bias for each row). */
export function plus(a: Weight, b: Weight): Weight {
  return computed(a.shape, [a, b], (left, right) =>
    left.map((value, index) => value + right[index % right.length]!),
  );
}

/** Every element times `factor`. */
export function scaled(weight: Weight, factor: number): Weight {
  return computed(weight.shape, [weight], (values) => values.map((value) => value * factor));
}
