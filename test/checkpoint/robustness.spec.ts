import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { array, assert as check, asyncProperty, integer, nat, tuple } from 'fast-check';
import { openCheckpoint } from '../../src/checkpoint/index.ts';
import { dict, float32, legacy, tensor, text, withoutChecksums } from '../support/pickle-writer.ts';
import { FIXTURES, isInvalid, readAll, scratchFolder } from './support/files.ts';

const fixture = (name: string) => readFileSync(join(FIXTURES, name));

describe('a damaged checkpoint', () => {
  const scratch = scratchFolder();
  const smallLegacy = legacy({
    object: dict([text('a'), tensor()]),
    storages: [{ key: '0', count: 4, data: float32(1, 2, 3, 4) }],
  });

  const cuts: [title: string, whole: Buffer, step: number][] = [
    ['a small one in zip form', fixture('state-dict-entry.pt'), 1],
    ['a small one in legacy form', smallLegacy, 1],
    ['types-zip.pt', fixture('types-zip.pt'), 13],
    ['types-legacy.pt', fixture('types-legacy.pt'), 13],
    ['training-legacy.pt', fixture('training-legacy.pt'), 13],
    ['detectron2-legacy.pth', fixture('detectron2-legacy.pth'), 7],
  ];
  for (const [title, whole, step] of cuts) {
    it(`is refused wherever it ends: ${title}`, async () => {
      const path = scratch.write(whole);
      await readAll(path);
      for (let length = whole.length - 1; length >= 0; length -= step) {
        truncateSync(path, length);
        await assert.rejects(
          openCheckpoint(path),
          isInvalid(/^pytorch_model\.pt: /),
          `cut at byte ${length}`,
        );
      }
    });
  }

  const zips = ['types-zip.pt', 'training-zip.pt', 'detectron2-zip.pth'];
  const flipped: [title: string, whole: Buffer][] = [
    ...[...zips, 'types-legacy.pt', 'training-legacy.pt', 'detectron2-legacy.pth'].map(
      (name): [string, Buffer] => [name, fixture(name)],
    ),
    // Check values would catch most of the damage before it is read.
    ...zips.map((name): [string, Buffer] => [
      `${name} without check values`,
      withoutChecksums(fixture(name)),
    ]),
  ];
  for (const [title, whole] of flipped) {
    it(`is read or refused, nothing else, with other bytes: ${title}`, async () => {
      const flip = tuple(nat(whole.length - 1), integer({ min: 1, max: 255 }));
      await check(
        asyncProperty(array(flip, { minLength: 1, maxLength: 8 }), async (flips) => {
          const damaged = Buffer.from(whole);
          for (const [position, mask] of flips) damaged[position]! ^= mask;
          try {
            await readAll(scratch.write(damaged));
          } catch (error) {
            isInvalid()(error);
          }
        }),
        { numRuns: 200 },
      );
    });
  }
});
