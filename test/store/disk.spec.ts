/** What is said where nothing can be written. */
import assert from 'node:assert/strict';
import { storeError, writeError } from '../../src/store/disk.ts';

describe('a place that cannot be written', () => {
  const system = (code: string) => Object.assign(new Error(`${code}: words`), { code });

  it('is told with what to do, as a folder and as a store', () => {
    assert.deepEqual(
      ['EROFS', 'EACCES', 'EEXIST'].map(
        (code) => (writeError('/x/out', system(code), false) as Error).message,
      ),
      [
        '/x/out is on a file system that can only be read: name another folder',
        '/x/out cannot be written by this user: name another folder',
        '/x/out cannot be made, as a file is in its place or above it: name another folder',
      ],
    );
    const { code, message } = storeError('/x/store', 'M2FP_MODEL_INVALID', system('EROFS'), true);
    assert.equal(code, 'M2FP_MODEL_INVALID');
    assert.match(
      message,
      /^The model store \/x\/store is on a file system that can only be read: name another one/,
    );
  });

  it('is not what an error of a file that is read is taken for', () => {
    const unreadable = system('EACCES');
    assert.equal(writeError('/x/out', unreadable, true), unreadable);
    assert.match(
      storeError('/x/store', 'M2FP_MODEL_INVALID', unreadable, true).message,
      /cannot be used: EACCES: words$/,
    );
  });
});
