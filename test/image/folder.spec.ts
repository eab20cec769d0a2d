/** The pictures of a folder. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { picturesIn } from '../../src/image/folder.ts';

describe('the pictures of a folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'm2fp-folder-'));
  after(() => rmSync(folder, { recursive: true }));

  const refused = (path: string, message: string): Promise<void> =>
    assert.rejects(picturesIn(path, 3, 'some there'), { code: 'M2FP_NO_IMAGE', message });

  it('are missing in words, not in those of the system', async () => {
    const [none, file, empty] = ['none', 'file', 'empty'].map((name) => join(folder, name));
    writeFileSync(file!, '');
    mkdirSync(empty!);
    await refused(none!, `The folder of pictures cannot be read: there is no ${none}`);
    await refused(file!, `The folder of pictures cannot be read: ${file} is no folder`);
    await refused(empty!, `${empty} holds no pictures: put some there`);
    mkdirSync(join(empty!, 'below'));
    writeFileSync(join(empty!, 'below', 'a.png'), '');
    await refused(
      empty!,
      `${empty} itself holds no pictures, and its sub-folders are not read: put some there`,
    );
  });
});
