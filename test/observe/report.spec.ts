import assert from 'node:assert/strict';
import { report } from '../../src/observe/report.ts';
import { sound } from './support/facts.ts';

describe('the doctor’s report', () => {
  it('has a line for each check, and one below it that mends it', () => {
    const text = report({
      format: 1,
      ...sound,
      state: 'fail',
      checks: [
        { name: 'node', state: 'ok', text: 'v22.9.0', fix: null },
        { name: 'cpu', state: 'warn', text: 'Old', fix: 'Take another' },
        { name: 'onnxruntime', state: 'fail', text: 'it is not installed', fix: 'Install it' },
      ],
    });
    assert.ok(
      text.startsWith(
        [
          'm2fp 1.2.3',
          '',
          'ok    node         v22.9.0',
          'warn  cpu          Old',
          '                   -> Take another',
          'fail  onnxruntime  it is not installed',
          '                   -> Install it',
          '',
          '1 failure, 1 warning: the lines with -> mend them.',
          '',
        ].join('\n'),
      ),
      text,
    );
  });

  it('says where all is well, and how memory is estimated', () => {
    const text = report({ format: 1, ...sound, state: 'ok', checks: [] });
    assert.match(text, /Everything is in order\.\n.*memory.* is estimated as .*weights/i);
  });
});
