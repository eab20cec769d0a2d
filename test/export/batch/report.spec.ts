import assert from 'node:assert/strict';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Report, type ReportLine } from '../../../src/export/batch/report.ts';
import { Folder } from '../support.ts';

const line = (file: string, time = 1): ReportLine => ({
  file,
  path: `/${file}`,
  outcome: 'done',
  digest: 'd',
  options: 'o',
  outputs: [],
  time,
});

describe('the report of a batch', () => {
  const folder = new Folder();
  beforeEach(() => folder.make());
  afterEach(() => folder.remove());
  const path = (): string => join(folder.path, 'report.jsonl');
  const lines = async (): Promise<ReportLine[]> =>
    (await readFile(path(), 'utf8'))
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as ReportLine);

  it('has one line for each picture, the last one of each', async () => {
    const report = await Report.open(path());
    for (const [file, time] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
      ['c', 4],
    ] as const)
      await report.put(line(file, time));
    assert.equal((await report.find('a'))!.time, 3);
    assert.equal(report.size, 3);
    await report.close();
    assert.deepEqual((await lines()).map(({ file, time }) => `${file}${time}`).toSorted(), [
      'a3',
      'b2',
      'c4',
    ]);
    const again = await Report.open(path());
    assert.equal((await again.find('a'))!.time, 3);
    assert.equal(await again.find('d'), undefined);
    await again.put(line('d', 5));
    await again.close();
    assert.equal((await lines()).length, 4);
  });

  it('forgets a line that a kill has cut off, and one that was replaced before it', async () => {
    const report = await Report.open(path());
    await report.put(line('a', 1));
    await report.put(line('a', 2));
    // As a killed process leaves it: not closed.
    await appendFile(path(), '{"file":"b","outc');
    const again = await Report.open(path());
    assert.deepEqual(
      (await lines()).map(({ time }) => time),
      [2],
    );
    assert.equal(await again.find('b'), undefined);
    await again.close();
    await report.close().catch(() => {});
  });
});
