/** Folders that one process makes something in, and what is left of them. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inPartialFolder } from '../../src/store/partial.ts';

describe('a partial folder', () => {
  let folder = '';
  const children: ChildProcess[] = [];
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'm2fp-partial-'))));
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const place = () => join(folder, 'model');
  const names = () => readdirSync(folder);

  /** A process that has one, with a file in it. */
  async function another(): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, 'support', 'partial-maker.ts'), [place()]);
    children.push(child);
    await once(child, 'message');
    return child;
  }

  it('lies beside its place, and is gone when the work has ended, well or not', async () => {
    const result = await inPartialFolder(place(), (partial) => {
      assert.match(partial, new RegExp(`^${place()}\\.partial-${process.pid}-\\w{6}$`));
      writeFileSync(join(partial, 'file'), '');
      return Promise.resolve(7);
    });
    assert.deepEqual([result, names()], [7, []]);
    const failed = inPartialFolder(place(), () => Promise.reject(new Error('failed')));
    await assert.rejects(failed, /failed/);
    assert.deepEqual(names(), []);
  });

  it('of a process that was killed is removed by the next one for the same place, and by no other', async () => {
    const child = await another();
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(names().length, 1);
    await inPartialFolder(join(folder, 'mod'), () => Promise.resolve());
    assert.equal(names().length, 1);
    await inPartialFolder(place(), () => Promise.resolve());
    assert.deepEqual(names(), []);
  });

  it('of a process that lives stays', async () => {
    await another();
    const [theirs] = names();
    await inPartialFolder(place(), async () => {
      await inPartialFolder(place(), () => Promise.resolve());
      assert.equal(names().length, 2);
    });
    assert.deepEqual(names(), [theirs]);
  });

  it('goes with a process that exits in the middle of its work', async () => {
    const child = await another();
    child.send('exit');
    await once(child, 'exit');
    assert.deepEqual(names(), []);
  });

  it("is never a user's folder with a like name", async () => {
    mkdirSync(join(folder, 'model.partial-2024-backup'));
    writeFileSync(join(folder, 'model.partial-2024-backup', 'notes'), '');
    mkdirSync(join(folder, 'model.partial-results'));
    await inPartialFolder(place(), () => Promise.resolve());
    assert.deepEqual(names().toSorted(), ['model.partial-2024-backup', 'model.partial-results']);
  });
});
