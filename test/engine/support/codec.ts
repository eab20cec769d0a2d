/** What the tests of the codec share. */
import assert from 'node:assert/strict';
import { Packr } from 'msgpackr';
import type { ChildParsing } from '../../../src/engine/protocol.ts';
import { M2fpError } from '../../../src/errors.ts';
import { encodeRle } from '../../../src/parsing/masks/rle.ts';

export const SIZE = { width: 4, height: 2 };

export const NAMES = ['Background', 'Hair', '\u5934\u53d1', 'Human'];

export const packr = new Packr({ useRecords: false });

/** A picture of 4 x 2 pixels with one part of one person. */
export function small(): ChildParsing {
  const mask = encodeRle(Buffer.from([0, 1, 1, 0, 0, 1, 1, 0]), 4, 2);
  const common = { id: 1, score: 0.5, box: { x: 1, y: 0, width: 2, height: 2 }, area: 4, mask };
  return {
    width: 4,
    height: 2,
    labels: [...NAMES],
    labelMap: Buffer.from([0, 1, 1, 0, 0, 1, 1, 0]),
    personMap: Buffer.from([0, 1, 1, 0, 0, 1, 1, 0]),
    persons: [structuredClone(common)],
    parts: [{ ...structuredClone(common), label: 'Hair', index: 1, person: 1 }],
    doubtful: { persons: [], parts: [] },
    timing: { decode: 1, preprocess: 1, inference: 1, postprocess: 1 },
  };
}

/** The M2fpError that `work` throws; anything else fails. */
export async function errorOf(work: () => unknown): Promise<M2fpError> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => assert.fail('Nothing was thrown'),
      (thrown: unknown) => thrown,
    );
  assert.ok(error instanceof M2fpError, String(error));
  return error;
}
