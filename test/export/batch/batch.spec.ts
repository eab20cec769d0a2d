import assert from 'node:assert/strict';
import { access, appendFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { M2fpError } from '../../../src/errors.ts';
import { type BatchCounts, type BatchOptions, runBatch } from '../../../src/export/batch/batch.ts';
import { Begun } from '../../../src/export/batch/begun.ts';
import { Report } from '../../../src/export/batch/report.ts';
import type { MadeFile } from '../../../src/export/batch/made-files.ts';
import type { Source } from '../../../src/export/batch/sources.ts';
import { WholeFiles } from '../../../src/export/dataset/whole-files.ts';
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
    const begun = await Begun.open(join(folder.path, 'begun.jsonl'));
    try {
      return await runBatch({
        sources: sources(count),
        report,
        begun,
        folder: folder.path,
        options: 'o',
        read: async ({ file }) => Buffer.from(`picture ${file}`),
        parse: async () => parsing,
        kinds: ['json'],
        name: ({ file }) => file,
        make: async (_parsing, _source, name) => [{ path: `json/${name}.json`, content: name }],
        add: async () => [],
        files: await WholeFiles.open(folder.path, join(folder.path, 'partial')),
        parallel: () => 3,
        signal: new AbortController().signal,
        onProgress: () => {},
        onDone: () => {},
        onFailure: () => {},
        ...changes,
      });
    } finally {
      await report.close();
      await begun.close();
    }
  }

  it('works on a few at a time', async () => {
    let [now, most] = [0, 0];
    const three = Promise.withResolvers<void>();
    const counts = await run(20, {
      parse: async () => {
        most = Math.max(most, ++now);
        if (now === 3) three.resolve();
        await three.promise;
        await new Promise(setImmediate);
        now--;
        return parsing;
      },
    });
    assert.deepEqual(counts, { done: 20, skipped: 0, failed: 0 });
    assert.equal(most, 3);
  });

  it('adds and reports them in the order in which they came, whatever is parsed first', async () => {
    const others = Promise.withResolvers<void>();
    const added: string[] = [];
    const told: string[] = [];
    let parsed = 0;
    await run(6, {
      parse: async (image) => {
        const [, file] = image.toString().split(' ');
        if (file === '0') await others.promise;
        else if (++parsed === 2) others.resolve();
        if (file === '2') throw new M2fpError('M2FP_BAD_IMAGE', 'bad');
        return parsing;
      },
      add: async (_parsing, name) => {
        added.push(name);
        return [];
      },
      onDone: (file) => told.push(file),
      onFailure: (file) => told.push(`${file} failed`),
    });
    assert.deepEqual(added, ['0', '1', '3', '4', '5']);
    assert.deepEqual(told, ['0', '1', '2 failed', '3', '4', '5']);
    const lines = (await folder.text('report.jsonl')).trim().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { file: string }).file),
      ['0', '1', '2', '3', '4', '5'],
    );
  });

  it('holds up nobody behind one that was done before', async () => {
    await run(3);
    const last = Promise.withResolvers<void>();
    const counts = await run(4, {
      read: async ({ file }) => {
        // The others pass it.
        if (file === '0') await last.promise;
        return Buffer.from(`picture ${file}`);
      },
      parse: async () => {
        last.resolve();
        return parsing;
      },
      parallel: () => 2,
    });
    assert.deepEqual(counts, { done: 1, skipped: 3, failed: 0 });
  });

  it('does one that has changed while it was parsed again, when that has ended', async () => {
    async function* twice(): AsyncIterable<Source> {
      for (const file of ['0', '0', '1']) yield { path: Buffer.from(file), file };
    }
    const other = Promise.withResolvers<void>();
    const events: string[] = [];
    const contents = ['old', 'new'];
    const counts = await run(0, {
      sources: twice(),
      read: async ({ file }) => {
        const content = file === '0' ? contents.shift()! : 'other';
        events.push(`read ${content}`);
        return Buffer.from(content);
      },
      parse: async (image) => {
        const content = image.toString();
        if (content === 'other') other.resolve();
        else if (content === 'old') await other.promise;
        return { ...parsing, image };
      },
      make: async ({ image }, _source, name) => [{ path: `json/${name}.json`, content: image }],
      add: async ({ image }) => {
        events.push(`added ${image.toString()}`);
        return [];
      },
    });
    assert.deepEqual(
      events.filter((event) => !event.endsWith('other')),
      ['read old', 'added old', 'read new', 'added new'],
    );
    assert.deepEqual(counts, { done: 3, skipped: 0, failed: 0 });
    assert.equal(await folder.text('json/0.json'), 'new');
    const again = await run(0, { sources: twice(), parallel: () => 1, read: async ({ file }) => Buffer.from(file === '0' ? 'new' : 'other') }); // prettier-ignore
    assert.deepEqual(again, { done: 0, skipped: 3, failed: 0 });
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
    await rm(join(folder.path, 'json/0.json'));
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

  const crops = (...names: string[]): BatchOptions['make'] => {
    const files = (name: string): MadeFile[] =>
      names.map((crop) => ({ path: `crop/${name}/${crop}`, content: crop }));
    return async (_parsing, _source, name) => files(name);
  };
  const made = async (): Promise<string[]> => {
    const entries = await readdir(folder.path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name !== 'report.jsonl');
    return files
      .map(({ parentPath, name }) => join(parentPath, name).slice(folder.path.length + 1))
      .toSorted();
  };

  it('does again what a file was made of that is another one now, or half of it', async () => {
    await run(4);
    await appendFile(join(folder.path, 'json/1.json'), ' ');
    await writeFile(join(folder.path, 'json/2.json'), '');
    await writeFile(join(folder.path, 'json/3.json'), '4');
    assert.deepEqual(await run(4), { done: 3, skipped: 1, failed: 0 });
    assert.deepEqual(await Promise.all([1, 2, 3].map((n) => folder.text('json', `${n}.json`))), [
      '1',
      '2',
      '3',
    ]);
    assert.deepEqual(await run(4), { done: 0, skipped: 4, failed: 0 });
  });

  it('leaves what was put right in a data set', async () => {
    await mkdir(join(folder.path, 'dataset'));
    const changes: Partial<BatchOptions> = {
      add: async (_parsing, name) => {
        await writeFile(join(folder.path, 'dataset', name), 'made');
        return [`dataset/${name}`];
      },
    };
    await run(2, changes);
    await writeFile(join(folder.path, 'dataset/0'), 'put right');
    await rm(join(folder.path, 'dataset/1'));
    assert.deepEqual(await run(2, changes), { done: 1, skipped: 1, failed: 0 });
    assert.equal(await folder.text('dataset', '0'), 'put right');
  });

  it('removes what it made of a picture before, and nothing else', async () => {
    const changes: Partial<BatchOptions> = { kinds: ['crop'], make: crops('a.png', 'b.png', 'c.png') };
    await run(2, changes);
    await writeFile(join(folder.path, 'crop/1/mine.png'), 'mine');
    await run(2, { ...changes, options: 'p', make: crops('a.png', 'd.png') });
    const left = ['crop/0/a.png', 'crop/0/d.png', 'crop/1/a.png', 'crop/1/d.png', 'crop/1/mine.png'];
    assert.deepEqual(await made(), left);
    assert.equal((await folder.text('report.jsonl')).includes('b.png'), false);
    const bad = new M2fpError('M2FP_BAD_IMAGE', 'bad');
    const read = async (): Promise<Buffer> => Promise.reject(bad);
    assert.deepEqual(await run(2, { ...changes, read }), { done: 0, skipped: 0, failed: 2 });
    assert.deepEqual(await made(), ['crop/1/mine.png']);
    assert.deepEqual(await readdir(join(folder.path, 'crop')), ['1']);
  });

  it('keeps what it made of a picture that is not to be had', async () => {
    await run(1);
    const cause = Object.assign(new Error('gone'), { syscall: 'open', code: 'ENOENT' });
    const read = async (): Promise<Buffer> =>
      Promise.reject(new M2fpError('M2FP_NO_IMAGE', 'gone', { cause }));
    assert.deepEqual(await run(1, { read }), { done: 0, skipped: 0, failed: 1 });
    assert.deepEqual(await made(), ['json/0.json']);
    const bad = new M2fpError('M2FP_BAD_IMAGE', 'bad');
    await run(1, { parse: async () => Promise.reject(bad) });
    assert.deepEqual(await made(), []);
  });

  it('keeps other kinds that were made of the same picture', async () => {
    await run(1);
    const changes: Partial<BatchOptions> = { kinds: ['crop'], options: 'p', make: crops('a.png') };
    await run(1, changes);
    assert.deepEqual(await made(), ['crop/0/a.png', 'json/0.json']);
    assert.deepEqual(await run(1, changes), { done: 0, skipped: 1, failed: 0 });
    await run(1, { ...changes, read: async () => Buffer.from('another') });
    assert.deepEqual(await made(), ['crop/0/a.png']);
  });

  it('leaves nothing of a picture that came half way', async () => {
    const make: BatchOptions['make'] = async () => [
      { path: 'json/0.json', content: '' },
      { path: `json/${'x'.repeat(300)}`, content: '' },
    ];
    assert.deepEqual(await run(1, { make }), { done: 0, skipped: 0, failed: 1 });
    assert.deepEqual(await made(), []);
  });

  it('removes what a run that was killed has left without a line of it', async () => {
    await run(1, { kinds: ['crop'], make: crops('a.png') });
    // From here on the first one is as good as killed.
    const [written, end] = [Promise.withResolvers<void>(), Promise.withResolvers<string[]>()];
    const killed = run(1, {
      kinds: ['crop'],
      read: async () => Buffer.from('another'),
      make: crops('b.png', 'c.png'),
      add: () => {
        written.resolve();
        return end.promise;
      },
    });
    await written.promise;
    const left = async (): Promise<string[]> => (await made()).filter((path) => path.startsWith('crop'));
    assert.deepEqual(await left(), ['crop/0/a.png', 'crop/0/b.png', 'crop/0/c.png']);
    await run(1, { kinds: ['crop'], read: async () => Buffer.from('a third'), make: crops('b.png') });
    assert.deepEqual(await left(), ['crop/0/b.png']);
    await assert.rejects(access(join(folder.path, 'begun.jsonl')), { code: 'ENOENT' });
    end.resolve([]);
    await killed;
  });

  it('removes it, too, where the picture is the old one again', async () => {
    await run(1, { kinds: ['crop'], make: crops('a.png') });
    await appendFile(
      join(folder.path, 'begun.jsonl'),
      '{"file":"0","paths":["crop/0/b.png","crop/0/a.png"]}\n',
    );
    await appendFile(join(folder.path, 'begun.jsonl'), '{"file":"1","paths":["crop/1/a.png"]}\n{"file"');
    await writeFile(join(folder.path, 'crop/0/b.png'), '');
    assert.deepEqual(await run(1, { kinds: ['crop'] }), { done: 0, skipped: 1, failed: 0 });
    // Of a picture that did not come it is still known.
    assert.equal(await folder.text('begun.jsonl'), '{"file":"1","paths":["crop/1/a.png"]}\n');
    assert.deepEqual(await made(), ['begun.jsonl', 'crop/0/a.png']);
  });

  it('removes nothing outside of its folders, whatever its report says', async () => {
    await run(1);
    await writeFile(join(folder.path, 'mine'), '');
    await mkdir(join(folder.path, 'sub'));
    const report = join(folder.path, 'report.jsonl');
    const line = JSON.parse(await folder.text('report.jsonl')) as { outputs: string[] };
    line.outputs.push('mine', 'json/../mine', `${folder.path}/mine`, 'sub/../mine');
    await writeFile(report, `${JSON.stringify(line)}\n`);
    const bad = new M2fpError('M2FP_BAD_IMAGE', 'bad');
    await run(1, { read: async () => Promise.reject(bad) });
    assert.deepEqual(await made(), ['mine']);
  });

  it('does not count as failed what came again, and was done then', async () => {
    async function* twice(): AsyncIterable<Source> {
      for (const file of ['0', '1', '0', '1']) yield { path: Buffer.from(file), file };
    }
    let reads = 0;
    const seen: number[] = [];
    const counts = await run(0, {
      sources: twice(),
      parallel: () => 1,
      read: async ({ file }) => {
        // Only the first of both is whole the second time.
        if (file === '1' || reads++ === 0) throw new M2fpError('M2FP_BAD_IMAGE', 'half');
        return Buffer.from(file);
      },
      onProgress: ({ failed }) => seen.push(failed),
    });
    assert.deepEqual(counts, { done: 1, skipped: 0, failed: 1 });
    assert.deepEqual(seen, [1, 2, 1, 1]);
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
