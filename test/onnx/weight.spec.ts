import assert from 'node:assert/strict';
import {
  concatRows,
  literal,
  plus,
  product,
  reshaped,
  scaled,
  selectRows,
  sliceRows,
  transposed,
  type Weight,
} from '../../src/onnx/weight.ts';

const matrix = literal([1, 2, 3, 4, 5, 6], [3, 2]);

async function check(weight: Weight, shape: number[], values: number[]): Promise<void> {
  assert.deepEqual(weight.shape, shape);
  assert.deepEqual([...(await weight.load())], values);
}

describe('weights', () => {
  it('select and slice rows', async () => {
    await check(selectRows(matrix, [2, 0]), [2, 2], [5, 6, 1, 2]);
    await check(sliceRows(matrix, 1, 3), [2, 2], [3, 4, 5, 6]);
    await check(selectRows(literal([7, 8, 9]), [1]), [1], [8]);
  });

  it('stack', () => check(concatRows([matrix, literal([7, 8], [1, 2])]), [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]));

  it('transpose', () => check(transposed(matrix), [2, 3], [1, 3, 5, 2, 4, 6]));

  it('multiply', () => check(product(matrix, literal([1, 0, 2, 1], [2, 2])), [3, 2], [5, 2, 11, 4, 17, 6]));

  it('add a vector to every row', () =>
    check(plus(matrix, literal([10, 20])), [3, 2], [11, 22, 13, 24, 15, 26]));

  it('scale and reshape', async () => {
    await check(scaled(matrix, 2), [3, 2], [2, 4, 6, 8, 10, 12]);
    await check(reshaped(matrix, [6]), [6], [1, 2, 3, 4, 5, 6]);
  });
});
