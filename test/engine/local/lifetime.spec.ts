import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gone, leavesNothingBehind } from '../support/fakes.ts';

const PARENT = join(import.meta.dirname, '..', 'fixtures', 'parent.ts');

function start(action: string) {
  return spawn(process.execPath, [PARENT, action], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // One that does not end by itself must not stay behind either.
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
}

/** What the program prints; it must end by itself. */
async function run(action: string): Promise<string> {
  const parent = start(action);
  const [output, [code]] = await Promise.all([text(parent.stdout), once(parent, 'exit')]);
  assert.equal(code, 0);
  return output.trim();
}

describe('a program with an engine', () => {
  leavesNothingBehind();

  it('ends by itself while the engine idles, and takes the child along', async () => {
    const pid = Number(await run('idle'));
    assert.ok(pid > 0);
    await gone(pid);
  });

  it('stays until a running picture is answered', async () => {
    assert.equal(await run('pending'), 'slow 100');
  });

  it('stays while a crashed child is replaced', async () => {
    assert.equal(await run('crash'), 'after');
  });

  it('stays while a child that talks nonsense is replaced', async () => {
    assert.equal(await run('nonsense'), 'after');
  });

  it('stays while an idle child that talks nonsense is replaced', async () => {
    assert.equal(await run('idle-nonsense'), 'after');
  });

  it('stays until an unloaded engine has finished', async () => {
    assert.equal(await run('unload'), 'slow 100');
  });

  it('kills a child in the middle of a run when it exits', async () => {
    const pid = Number(await run('exit'));
    assert.ok(pid > 0);
    await gone(pid);
  });

  for (const action of ['stay', 'stay-busy']) {
    it(`leaves no orphan where it is killed itself (${action})`, async () => {
      const parent = start(action);
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      await gone(Number(line.toString()));
    });
  }
});
