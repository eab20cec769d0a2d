/** Whether outputs of a network are those of a golden case, within the bounds of test/golden/README.md. */
import assert from 'node:assert/strict';
import type { GoldenCase, GoldenTensor } from '../../support/golden.ts';
import type { runModel } from '../../support/model.ts';

const LOGITS = 1e-3;
const MASKS = 4e-3;
const SIGNS = 0.9999;

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < b.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

function bestClasses({ data, shape }: { data: ArrayLike<number>; shape: number[] }): number[] {
  const [queries, classes] = shape as [number, number];
  return Array.from({ length: queries }, (_, q) => {
    const row = Array.from({ length: classes }, (_unused, c) => data[q * classes + c]!);
    return row.indexOf(Math.max(...row));
  });
}

function equalSigns(a: ArrayLike<number>, b: GoldenTensor): number {
  let equal = 0;
  for (let i = 0; i < b.data.length; i++) if (a[i]! > 0 === b.data[i]! > 0) equal++;
  return equal / b.data.length;
}

export function assertAsGolden(
  outputs: Awaited<ReturnType<typeof runModel>>,
  golden: Pick<GoldenCase, 'tensor'>,
): void {
  const logits = golden.tensor('pred_logits');
  const masks = golden.tensor('pred_masks');
  assert.deepEqual(outputs['pred_logits']!.shape, logits.shape);
  assert.deepEqual(outputs['pred_masks']!.shape, masks.shape);
  assert.ok(largestDifference(outputs['pred_logits']!.data, logits.data) <= LOGITS);
  assert.ok(largestDifference(outputs['pred_masks']!.data, masks.data) <= MASKS);
  assert.deepEqual(bestClasses(outputs['pred_logits']!), bestClasses(logits));
  assert.ok(equalSigns(outputs['pred_masks']!.data, masks) >= SIGNS);
}
