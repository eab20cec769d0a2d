/** Which (query, class) pairs of the network's output are worth a look. */

export interface Candidate {
  query: number;
  /** Class index. */
  index: number;
  /** Softmax probability of the class. */
  probability: number;
}

/** As many pairs as ModelScope's post-processing looks at. */
const MAX_CANDIDATES = 100;

/**
 * The pairs with a probability of at least `floor` among the 100 most probable ones, most probable first; equal
 * ones in the order of query and class.
 *
 * @param logits [queries, classes + 1], row-major; the last column is "no object".
 */
export function bestCandidates(
  logits: Float32Array,
  queries: number,
  classes: number,
  floor: number,
): Candidate[] {
  const columns = classes + 1;
  const candidates: Candidate[] = [];
  for (let query = 0; query < queries; query++) {
    const row = logits.subarray(query * columns, (query + 1) * columns);
    let max = -Infinity;
    for (const logit of row) if (logit > max) max = logit;
    let sum = 0;
    for (const logit of row) sum += Math.exp(logit - max);
    for (let index = 0; index < classes; index++) {
      const probability = Math.exp(row[index]! - max) / sum;
      if (probability >= floor) candidates.push({ query, index, probability });
    }
  }
  // Sorting is stable, so that ties keep their order.
  return candidates.toSorted((a, b) => b.probability - a.probability).slice(0, MAX_CANDIDATES);
}
