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
    const old = new Date(Date.now() - 60_000);
    await writeFile(path('old.png'), 'x');
    await utimes(path('old.png'), old, old);
    await writeFile(path('young.png'), 'x');
    /** What happens before each look. */
    const looks: (() => Promise<void>)[] = [
      // The young one grows still.
      () => appendFile(path('young.png'), 'y'),
      async () => {},
      async () => {
        await writeFile(path('old.png'), 'changed');
        await utimes(path('old.png'), new Date(), old);
        await utimes(path('old.png'), old, new Date(old.getTime() + 1000));
      },
      async () => {},
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
    const now = Date.now();
    const sources = watchPictures(() => walkPictures(folder.path), {
      signal: abort.signal,
      clock,
      now: () => now,
    });
    for await (const { file } of sources) given.push([file, looks.length]);
    assert.deepEqual(given, [
      ['old.png', 4],
      ['young.png', 2],
      ['old.png', 1],
    ]);
  });
});
