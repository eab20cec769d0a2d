import assert from 'node:assert/strict';
import { numberField } from '../../../nodes/common/fields.ts';

describe('fields', () => {
  it('numberField reads numbers and what forms store as text; blank is undefined', () => {
    assert.deepEqual(
      [3, '3', '0.5', 0, '', null, undefined].map((field) => numberField('threads', field)),
      [3, 3, 0.5, 0, undefined, undefined, undefined],
    );
    assert.deepEqual(
      [' 12 ', '  '].map((field) => numberField('threads', field)),
      [12, undefined],
    );
  });

  it('numberField names the field and what stands in it that is no number', () => {
    const refused = { code: 'M2FP_BAD_OPTION', message: 'Option "threads" is "many"; allowed: a number.' };
    assert.throws(() => numberField('threads', 'many'), refused);
    const entered = (): string => '${MANY}';
    assert.throws(() => numberField('threads', 'many', 'a whole number from 0 to 8', entered), {
      message:
        'Option "threads" is "many", the value of the environment variable MANY; allowed: a whole number from 0 to 8.',
    });
  });

  it('numberField names the variable that Node-RED has not found', () => {
    assert.throws(() => numberField('threads', '${NO_SUCH}'), {
      code: 'M2FP_BAD_OPTION',
      message: /NO_SUCH.*threads/,
    });
  });
});
