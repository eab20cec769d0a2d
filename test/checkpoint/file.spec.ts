import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { CheckpointFile } from '../../src/checkpoint/file.ts';
import { bytes } from '../support/pickle-writer.ts';
import { isInvalid, scratchFolder } from './support/files.ts';

describe('CheckpointFile', () => {
  const scratch = scratchFolder();

  it('answers a missing file with M2FP_MODEL_NOT_FOUND and the whole path', async () => {
    const path = scratch.path('missing.pt');
    await assert.rejects(CheckpointFile.open(path), {
      code: 'M2FP_MODEL_NOT_FOUND',
      message: `There is no checkpoint file at ${path}`,
    });
    const below = `${scratch.write('x', 'plain')}/pytorch_model.pt`;
    await assert.rejects(CheckpointFile.open(below), { code: 'M2FP_MODEL_NOT_FOUND' });
  });

  it('refuses what is no regular file, a pipe without waiting for its writer', async () => {
    await assert.rejects(CheckpointFile.open(scratch.path('')), isInvalid(/is a folder/));
    if (process.platform === 'win32') return;
    const pipe = scratch.path('pipe');
    execFileSync('mkfifo', [pipe]);
    await assert.rejects(CheckpointFile.open(pipe), isInvalid(/pipe is not a regular file/));
  });

  it('answers an impossible path with an error of ours', async () => {
    await assert.rejects(CheckpointFile.open('a\0b'), isInvalid(/cannot be opened/));
  });

  it('reads exactly what is asked', async () => {
    const file = await CheckpointFile.open(scratch.write(bytes('0123456789')));
    assert.equal((await file.read(3, 4)).toString(), '3456');
    assert.equal((await file.read(10, 0)).length, 0);
    await file.close();
  });

  for (const [position, length] of [
    [7, 4],
    [11, 0],
    [-1, 2],
    [0, 2 ** 50],
    [2 ** 60, 1],
  ] as const) {
    it(`fails before it sets memory aside for ${length} bytes at ${position}`, async () => {
      const file = await CheckpointFile.open(scratch.write(bytes('0123456789')));
      await assert.rejects(file.read(position, length), isInvalid(/has 10 bytes, too few to hold/));
      await file.close();
    });
  }
});
