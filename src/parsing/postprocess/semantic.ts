/**
 * Single-human output -> label map and scores: section "Single" of ModelScope's M2FP post-processing, on the
 * class map that the graph computes.
 */
import { type LinearAxis, linearAxis, sigmoidOfPositive } from './interpolate.ts';

/** The class map: s_c = sum over queries of p(query, c) * sigmoid(mask), at the padded network size. */
export interface SemanticInput {
  /** [classes, paddedHeight, paddedWidth], not negative. */
  semantic: Float32Array;
  classes: number;
  paddedWidth: number;
  paddedHeight: number;
  /** Where the picture lies in it. */
  crop: { x: number; y: number; width: number; height: number };
  /** The source picture's size, pixels. */
  width: number;
  height: number;
}

export interface SemanticResult {
  /** width * height bytes, row-major: the class with the highest value, the lower index where two are equal. */
  labelMap: Buffer;
  /** Pixels of each class. */
  areas: Float64Array;
  /**
   * Per class sum of sigmoid(s_c) over its pixels / (pixels + 1), as ModelScope has it: between 0.25 and 1 for a
   * class that is present, and no probability, for s_c is a sum of probabilities already.
   */
  scores: Float64Array;
}

/** Output positions of an axis that lie between the same two input positions: [from, to). */
function cells(axis: LinearAxis): { from: number; to: number; left: number; right: number }[] {
  const result: { from: number; to: number; left: number; right: number }[] = [];
  for (let from = 0; from < axis.index0.length;) {
    const left = axis.index0[from]!;
    let to = from + 1;
    while (to < axis.index0.length && axis.index0[to] === left) to++;
    result.push({ from, to, left, right: axis.index1[from]! });
    from = to;
  }
  return result;
}

/**
 * Crops the class map, resizes it to the source picture (bilinear, as PyTorch does it) and takes the best class
 * of every pixel, a row at a time.
 *
 * Between two columns of the class map a pixel's value is a mean of theirs, so a class whose higher end is below
 * another's lower end is the best nowhere between them. What is left is most often one class.
 */
export function semanticLabels(input: SemanticInput): SemanticResult {
  const { semantic, classes, paddedWidth, paddedHeight, crop, width, height } = input;
  const across = linearAxis(crop.width, width);
  const down = linearAxis(crop.height, height);
  const spans = cells(across);
  const map = Buffer.alloc(width * height);
  const areas = new Float64Array(classes);
  const sums = new Float64Array(classes);
  const plane = paddedWidth * paddedHeight;
  // The row after the vertical step, all classes of a column side by side.
  const row = new Float64Array(crop.width * classes);
  const best = new Float64Array(width);
  const rivals = new Int32Array(classes);

  for (let y = 0; y < height; y++) {
    const upper = (crop.y + down.index0[y]!) * paddedWidth + crop.x;
    const lower = (crop.y + down.index1[y]!) * paddedWidth + crop.x;
    const upperWeight = down.weight0[y]!;
    const lowerWeight = down.weight1[y]!;
    for (let index = 0; index < classes; index++) {
      const from = index * plane;
      for (let x = 0, to = index; x < crop.width; x++, to += classes) {
        row[to] = upperWeight * semantic[from + upper + x]! + lowerWeight * semantic[from + lower + x]!;
      }
    }

    const labels = map.subarray(y * width, (y + 1) * width);
    for (const { from, to, left, right } of spans) {
      const a = left * classes;
      const b = right * classes;
      let floor = -Infinity;
      for (let index = 0; index < classes; index++) {
        const low = Math.min(row[a + index]!, row[b + index]!);
        if (low > floor) floor = low;
      }
      let count = 0;
      for (let index = 0; index < classes; index++) {
        if (row[a + index]! >= floor || row[b + index]! >= floor) rivals[count++] = index;
      }
      for (let i = 0; i < count; i++) {
        const index = rivals[i]!;
        const start = row[a + index]!;
        const end = row[b + index]!;
        for (let x = from; x < to; x++) {
          const value = across.weight0[x]! * start + across.weight1[x]! * end;
          if (i === 0 || value > best[x]!) {
            best[x] = value;
            labels[x] = index;
          }
        }
      }
    }
    for (let x = 0; x < width; x++) {
      const index = labels[x]!;
      areas[index]!++;
      sums[index]! += sigmoidOfPositive(best[x]!);
    }
  }
  return { labelMap: map, areas, scores: sums.map((sum, index) => sum / (areas[index]! + 1)) };
}
