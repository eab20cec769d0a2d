import assert from 'node:assert/strict';
import { join } from 'node:path';
import { JsonLines } from '../../../src/export/dataset/json-lines.ts';
import { Folder } from '../support.ts';

describe('a file of JSON lines', () => {
  const folder = new Folder();
  beforeEach(() => folder.make());
  afterEach(() => folder.remove());

  it('keeps lines apart that are added at the same time', async () => {
    const lines = await JsonLines.open(join(folder.path, 'x.jsonl'));
    const values = Array.from({ length: 50 }, (_, i) => ({ i, text: 'ä'.repeat(i * 100) }));
    const spans = await Promise.all(values.map((value) => lines.append(value)));
    for (const [i, span] of spans.entries()) assert.deepEqual(await lines.read(span), values[i]);
    await lines.close();
    const again = await JsonLines.open(join(folder.path, 'x.jsonl'));
    const found: unknown[] = [];
    for await (const { value } of again.scan()) found.push(value);
    assert.deepEqual(found, values);
    await again.close();
  });
});
