import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../src/store/folders.ts';

describe('a folder that is made for a while', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'm2fp-folders-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('goes with those above it that were missing', async () => {
    mkdirSync(join(folder, 'there'));
    const leave = await makeFolder(join(folder, 'there', 'a', 'b'));
    assert.ok(existsSync(join(folder, 'there', 'a', 'b')));
    await leave();
    assert.deepEqual(readdirSync(join(folder, 'there')), []);
  });

  it('stays where something was put into it, or it was there', async () => {
    const leave = await makeFolder(join(folder, 'a', 'b', 'c'));
    writeFileSync(join(folder, 'a', 'b', 'file'), '');
    await leave();
    assert.deepEqual(readdirSync(join(folder, 'a', 'b')), ['file']);
    mkdirSync(join(folder, 'empty'));
    await (
      await makeFolder(join(folder, 'empty'))
    )();
    assert.ok(existsSync(join(folder, 'empty')));
  });

  it('that cannot be made says so', async () => {
    writeFileSync(join(folder, 'file'), '');
    await assert.rejects(makeFolder(join(folder, 'file', 'x')));
  });
});
