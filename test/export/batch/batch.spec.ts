import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { M2fpError } from '../../../src/errors.ts';
import { type BatchCounts, type BatchOptions, runBatch } from '../../../src/export/batch/batch.ts';
import { Report } from '../../../src/export/batch/report.ts';
import type { Source } from '../../../src/export/batch/sources.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { drawnParsing, Folder } from '../support.ts';

describe('a batch', () => {
  const folder = new Folder();
  let parsing: Parsing;
  before(async () => {
    parsing = await drawnParsing();
  });
  beforeEach(() => folder.make());
  afterEach(() => folder.remove());

  async function* sources(count: number): AsyncIterable<Source> {
    for (let i = 0; i < count; i++) yield { path: Buffer.from(`${i}`), file: `${i}` };
  }

  async function run(count: number, changes: Partial<BatchOptions> = {}): Promise<BatchCounts> {
    const report = await Report.open(join(folder.path, 'report.jsonl'));
    try {
      return await runBatch({
        sources: sources(count),
        report,
        folder: folder.path,
        options: 'o',
        read: async ({ file }) => Buffer.from(`picture ${file}`),
        parse: async () => parsing,
        write: async (_parsing, { file }) => {
          await writeFile(join(folder.path, `${file}.json`), '');
          return [`${file}.json`];
        },
        parallel: () => 3,
        signal: new AbortController().signal,
        onProgress: () => {},
        onDone: () => {},
        onFailure: () => {},
        ...changes,
      });
    } finally {
      await report.close();
    }
  }

  it('works on a few at a time', async () => {
    let [now, most] = [0, 0];
    const counts = await run(20, {
      parse: async () => {
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now--;
        return parsing;
      },
    });
    assert.deepEqual(counts, { done: 20, skipped: 0, failed: 0 });
    assert.equal(most, 3);
  });

  it('does again only what has changed, is gone or has failed', async () => {
    const bad = new M2fpError('M2FP_BAD_IMAGE', 'bad');
    const first = await run(6, {
      parse: async (image) => {
        if (image.toString() === 'picture 5') throw bad;
        return parsing;
      },
    });
    assert.deepEqual(first, { done: 5, skipped: 0, failed: 1 });
    await rm(join(folder.path, '0.json'));
    const parsed: string[] = [];
    const second = await run(6, {
      read: async ({ file }) => Buffer.from(file === '1' ? 'another' : `picture ${file}`),
      parse: async (image) => {
        parsed.push(image.toString());
        return parsing;
      },
    });
    assert.deepEqual(second, { done: 3, skipped: 3, failed: 0 });
    assert.deepEqual(parsed.toSorted(), ['another', 'picture 0', 'picture 5']);
    assert.deepEqual(await run(6, { options: 'other options' }), { done: 6, skipped: 0, failed: 0 });
    const lines = (await folder.text('report.jsonl')).trim().split('\n');
    assert.equal(lines.length, 6);
  });

  it('ends with what is no fault of one picture, when those under way have ended', async () => {
    const fault = new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'gone');
    let begun = 0;
    await assert.rejects(
      run(100, {
        parse: async () => {
          if (++begun === 4) throw fault;
          await new Promise(setImmediate);
          return parsing;
        },
      }),
      fault,
    );
    assert.ok(begun < 10);
    assert.deepEqual(await run(100), { done: 100 - (begun - 1), skipped: begun - 1, failed: 0 });
  });

  it('begins nothing any more when it is told to stop', async () => {
    const controller = new AbortController();
    const counts = await run(100, {
      signal: controller.signal,
      onProgress: ({ done }) => done === 5 && controller.abort(),
    });
    assert.ok(counts.done >= 5 && counts.done <= 8);
  });
});
