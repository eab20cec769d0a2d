import assert from 'node:assert/strict';
import { numberField } from '../../../nodes/common/fields.ts';

describe('fields', () => {
  it('numberField reads numbers and what forms store as text; blank is undefined', () => {
    assert.deepEqual(
      [3, '3', '0.5', 0, '', null, undefined].map((field) => numberField(field)),
      [3, 3, 0.5, 0, undefined, undefined, undefined],
    );
    assert.deepEqual([' 12 ', '  '].map(numberField), [12, undefined]);
    assert.ok(Number.isNaN(numberField('many')));
  });

  it('numberField names the variable that Node-RED has not found', () => {
    assert.throws(() => numberField('${NO_SUCH}'), { code: 'M2FP_BAD_OPTION', message: /NO_SUCH/ });
  });
});
