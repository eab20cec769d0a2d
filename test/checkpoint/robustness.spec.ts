import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { openCheckpoint } from '../../src/checkpoint/index.ts';
import { FIXTURES, isInvalid, readAll, scratchFolder } from './support/files.ts';

describe('a damaged checkpoint', () => {
  const scratch = scratchFolder();

  for (const name of ['types-zip.pt', 'types-legacy.pt', 'training-legacy.pt']) {
    const whole = readFileSync(join(FIXTURES, name));

    it(`is refused at every length it may be cut to: ${name}`, async () => {
      for (let length = 0; length < whole.length; length++) {
        await assert.rejects(
          openCheckpoint(scratch.write(whole.subarray(0, length))),
          isInvalid(/^pytorch_model\.pt: /),
          `cut at byte ${length}`,
        );
      }
    });

    it(`with other bytes is read or refused, nothing else: ${name}`, async () => {
      const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
        maxLength: 8,
      });
      await fc.assert(
        fc.asyncProperty(damage, async (flips) => {
          const damaged = Buffer.from(whole);
          for (const [position, mask] of flips) damaged[position]! ^= mask;
          try {
            await readAll(scratch.write(damaged));
          } catch (error) {
            isInvalid()(error);
          }
        }),
        { numRuns: 400 },
      );
    });
  }
});
