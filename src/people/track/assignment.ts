/**
 * The linear sum assignment problem: who goes with whom so that the sum of costs is smallest. The Hungarian method with
 * potentials, one row after the other (H. W. Kuhn, "The Hungarian Method for the Assignment Problem", 1955; in O(n³) as
 * R. Jonker and A. Volgenant, "A Shortest Augmenting Path Algorithm", 1987, have it). npm's packages for it are larger than
 * it is, and bring libraries of matrices.
 */

import type { turns } from '../../image/slices.ts';

/** Rows of equal length; Infinity (or NaN) where two cannot go together. */
type Costs = readonly (readonly number[])[];

/**
 * @returns the column of each row, -1 where it has none: as many pairs as there can be are made, and of those choices the
 *   cheapest
 */
export function assign(costs: Costs): number[] {
  const steps = assigning(costs);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same, with turns of the event loop in between. @param turn see {@link turns} */
export async function assignInTurns(costs: Costs, turn: ReturnType<typeof turns>): Promise<number[]> {
  const steps = assigning(costs);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    const pause = turn();
    if (pause) await pause;
  }
}

/** A step is a walk over the columns. */
function* assigning(costs: Costs): Generator<void, number[]> {
  const rows = costs.length;
  const columns = costs[0]?.length ?? 0;
  if (rows > columns) return invert(yield* assigning(transposed(costs, columns)), rows);
  let worst = 1;
  for (const row of costs) for (const cost of row) if (Number.isFinite(cost)) worst += Math.abs(cost);
  // One forbidden pair costs more than all that are allowed.
  const at = (row: number, column: number): number => {
    const cost = costs[row]![column]!;
    return Number.isFinite(cost) ? cost : worst;
  };
  const potentialOfRow = new Float64Array(rows + 1);
  const potentialOfColumn = new Float64Array(columns + 1);
  // Rows and columns from 1: column 0 stands for the row that is placed just now.
  const rowOf = new Int32Array(columns + 1);
  const before = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    rowOf[0] = row;
    const slack = new Float64Array(columns + 1).fill(Infinity);
    const used = new Uint8Array(columns + 1);
    let column = 0;
    do {
      used[column] = 1;
      const current = rowOf[column]!;
      let next = 0;
      let least = Infinity;
      for (let j = 1; j <= columns; j++) {
        if (used[j]) continue;
        const reduced = at(current - 1, j - 1) - potentialOfRow[current]! - potentialOfColumn[j]!;
        if (reduced < slack[j]!) {
          slack[j] = reduced;
          before[j] = column;
        }
        if (slack[j]! < least) {
          least = slack[j]!;
          next = j;
        }
      }
      for (let j = 0; j <= columns; j++) {
        if (used[j]) {
          potentialOfRow[rowOf[j]!]! += least;
          potentialOfColumn[j]! -= least;
        } else slack[j]! -= least;
      }
      column = next;
      yield;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      rowOf[column] = rowOf[before[column]!]!;
      column = before[column]!;
    }
  }
  const result = Array<number>(rows).fill(-1);
  for (let j = 1; j <= columns; j++) {
    const row = rowOf[j]! - 1;
    if (row >= 0 && Number.isFinite(costs[row]![j - 1]!)) result[row] = j - 1;
  }
  return result;
}

function transposed(costs: Costs, columns: number): number[][] {
  return Array.from({ length: columns }, (_, column) => costs.map((row) => row[column]!));
}

function invert(rowOfColumn: readonly number[], rows: number): number[] {
  const result = Array<number>(rows).fill(-1);
  rowOfColumn.forEach((row, column) => {
    if (row >= 0) result[row] = column;
  });
  return result;
}
