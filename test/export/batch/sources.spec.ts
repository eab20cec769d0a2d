import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileText } from '../../../src/export/batch/file-text.ts';
import {
  isPattern,
  listedPictures,
  matchPictures,
  outputStem,
  type Source,
  walkPictures,
} from '../../../src/export/batch/sources.ts';
import { Folder } from '../support.ts';

async function files(sources: AsyncIterable<Source>): Promise<string[]> {
  const found: string[] = [];
  for await (const { file } of sources) found.push(file);
  return found;
}

describe('the pictures of a batch', () => {
  const folder = new Folder();
  beforeEach(() => folder.make());
  afterEach(() => folder.remove());

  async function put(...names: (string | Buffer)[]): Promise<void> {
    for (const name of names) {
      const path = Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from(name)]);
      await mkdir(path.subarray(0, path.lastIndexOf('/')), { recursive: true });
      await writeFile(path, '');
    }
  }

  it('are those of a folder and all below, by name, and nothing else', async () => {
    await put('b.JPG', 'a.png', 'notes.txt', 'sub/a.png', 'sub/deep/c.webp', 'sub/.hidden.gif', 'z.heic');
    await mkdir(join(folder.path, 'folder.jpg'));
    assert.deepEqual(await files(walkPictures(folder.path)), [
      'a.png',
      'b.JPG',
      'sub/.hidden.gif',
      'sub/a.png',
      'sub/deep/c.webp',
    ]);
  });

  it('are walked once where links make a circle, or two ways', async () => {
    await put('real/a.png');
    await symlink(folder.path, join(folder.path, 'real', 'circle'));
    await symlink(join(folder.path, 'real'), join(folder.path, 'second'));
    await symlink(join(folder.path, 'real', 'a.png'), join(folder.path, 'link.png'));
    await symlink('nowhere', join(folder.path, 'dead.png'));
    // Whoever reads the dead one tells of it.
    assert.deepEqual(await files(walkPictures(folder.path)), ['dead.png', 'link.png', 'real/a.png']);
  });

  it('are not those that the batch itself makes', async () => {
    await put('a.png', 'out/redact/a.png');
    assert.deepEqual(await files(walkPictures(folder.path, { except: [join(folder.path, 'out')] })), [
      'a.png',
    ]);
  });

  it('are found whatever bytes their names are', async function () {
    if (process.platform !== 'linux') this.skip();
    const odd = Buffer.from([0x61, 0xff, 0x2e, 0x70, 0x6e, 0x67]);
    await put(odd, 'a%FF.png', 'new\nline.png', '50%.png', 'ä.png');
    const found: Source[] = [];
    for await (const source of walkPictures(folder.path)) found.push(source);
    assert.deepEqual(
      found.map(({ file }) => file),
      ['50%.png', 'a%25FF.png', 'a%FF.png', 'new%0Aline.png', 'ä.png'],
    );
    assert.equal(new Set(found.map(({ file }) => file)).size, found.length);
    assert.ok(found.some(({ path }) => path.subarray(-6).equals(odd)));
  });

  it('tell of a folder that is not there', async () => {
    await assert.rejects(files(walkPictures(join(folder.path, 'none'))), { code: 'M2FP_NO_IMAGE' });
  });

  it('are those that a pattern names', async () => {
    await put('2023/a.jpg', '2024/a.jpg', '2024/b.png', '2024/deep/c.jpg');
    const match = (pattern: string): Promise<string[]> => files(matchPictures(join(folder.path, pattern)));
    assert.deepEqual(await match('2024/*.jpg'), ['a.jpg']);
    assert.deepEqual(await match('**/*.jpg'), ['2023/a.jpg', '2024/a.jpg', '2024/deep/c.jpg']);
    assert.deepEqual(await match('202[34]/*.{jpg,png}'), ['2023/a.jpg', '2024/a.jpg', '2024/b.png']);
    assert.deepEqual(['a.jpg', '*.jpg', 'a?.jpg', '{a,b}.jpg'].map(isPattern), [false, true, true, true]);
  });

  it('are those of a list, with lines or zero bytes', async () => {
    const list = (...chunks: string[]): AsyncIterable<Buffer> =>
      Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
    assert.deepEqual(await files(listedPictures(list('a.p', 'ng\nb c.jpg\r\n\n/x/d.gif'))), [
      'a.png',
      'b c.jpg',
      '/x/d.gif',
    ]);
    assert.deepEqual(await files(listedPictures(list('a\nb.png\0', 'c.png\0'))), ['a%0Ab.png', 'c.png']);
    assert.deepEqual(await files(listedPictures(list())), []);
  });

  it('go nowhere outside of the output', () => {
    assert.equal(outputStem('sub/a.png'), 'sub/a.png');
    assert.equal(outputStem(join(process.cwd(), 'x', 'a.png')), 'x/a.png');
    assert.equal(outputStem('/etc/a.png'), 'etc/a.png');
    assert.ok(!outputStem('../../../../../../etc/a.png').split('/').includes('..'));
  });

  it('are one text of one line each', () => {
    const texts = ['a', 'a%0A', 'a\n', 'a%', 'ä', '\u0085'].map((name) => fileText(Buffer.from(name)));
    assert.deepEqual(texts, ['a', 'a%250A', 'a%0A', 'a%', 'ä', '%85']);
  });
});
