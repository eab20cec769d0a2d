import assert from 'node:assert/strict';
import { appendFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { walkPictures } from '../../../src/export/batch/sources.ts';
import { watchPictures } from '../../../src/export/batch/watch.ts';
import { Folder } from '../support.ts';

describe('pictures that come into a folder', () => {
  const folder = new Folder();
  beforeEach(() => folder.make());
  afterEach(() => folder.remove());

  it('are given once, when they are whole, and again when they have changed', async () => {
    const abort = new AbortController();
    const path = (name: string): string => join(folder.path, name);
    const old = new Date(Date.now() - 600_000);
    await writeFile(path('old.png'), 'x');
    await utimes(path('old.png'), old, old);
    await writeFile(path('young.png'), 'x');
    const nothing = async (): Promise<void> => {};
    /** What happens before each look. */
    const looks: (() => Promise<void>)[] = [
      // The young one pauses, and grows still.
      nothing,
      () => appendFile(path('young.png'), 'y'),
      nothing,
      nothing,
      async () => {
        await writeFile(path('old.png'), 'changed');
        await utimes(path('old.png'), old, new Date(old.getTime() + 1000));
      },
      async () => {
        await writeFile(path('old.png'), 'changed again');
        await writeFile(path('new.png'), 'x');
      },
      nothing,
      nothing,
    ];
    const clock = {
      now: () => 0,
      after: (_ms: number, callback: (done?: void) => void) => {
        const next = looks.shift();
        if (next === undefined) abort.abort();
        else void (async () => callback(await next()))();
        return { cancel: () => {} };
      },
    };
    const given: [string, number][] = [];
    // The disk's clock and this one differ: what counts is what was seen.
    const now = Date.now() + 5000;
    const sources = watchPictures(() => walkPictures(folder.path), {
      signal: abort.signal,
      clock,
      now: () => now,
    });
    for await (const { file } of sources) given.push([file, looks.length]);
    assert.deepEqual(given, [
      ['old.png', 8],
      ['young.png', 4],
      ['old.png', 3],
      ['new.png', 0],
      ['old.png', 0],
    ]);
  });
});
