import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { DEPENDENCIES, describeRuntime, loadSharp, memoisedSharp } from '../../src/image/sharp.ts';
import { failure } from './support.ts';

const run = promisify(execFile);

describe('loadSharp', () => {
  it('gives the same sharp each time', async () => {
    const first = await loadSharp();
    assert.equal(typeof first, 'function');
    assert.equal(await loadSharp(), first);
  });

  it('loads it once for all who ask', async () => {
    let loads = 0;
    const load = memoisedSharp(() => {
      loads++;
      return import('sharp');
    });
    await Promise.all([load(), load()]);
    assert.equal(await load(), sharp);
    assert.equal(loads, 1);
  });

  it('says what fails, where, and what to do', async () => {
    const cause = new Error(
      'Could not load the "sharp" module using the linux-x64 runtime\nPossible solutions:\n- a',
    );
    const load = memoisedSharp(() => Promise.reject(cause));
    await assert.rejects(load(), (error: Error) => {
      failure(
        'M2FP_ENGINE_UNAVAILABLE',
        /Could not load the "sharp" module/,
        /npm install --include=optional sharp/,
      )(error);
      assert.ok(error.message.includes(`${process.platform} ${process.arch}`));
      assert.ok(error.message.includes(process.version));
      assert.ok(!error.message.includes('\n'));
      assert.equal(error.cause, cause);
      return true;
    });
  });

  it('tries again after a failure', async () => {
    let loads = 0;
    const load = memoisedSharp(() => {
      loads++;
      if (loads === 1) return Promise.reject(new Error('missing'));
      return import('sharp');
    });
    await assert.rejects(load(), failure('M2FP_ENGINE_UNAVAILABLE'));
    assert.equal(await load(), sharp);
  });

  it('lists what sharp depends on', () => {
    const manifest = new URL('../package.json', import.meta.resolve('sharp'));
    const { dependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      dependencies: Record<string, string>;
    };
    assert.deepEqual([...DEPENDENCIES].toSorted(), Object.keys(dependencies).toSorted());
  });

  it('loads nothing native before it is asked', async () => {
    const entry = new URL('../../src/image/index.ts', import.meta.url).href;
    const script = `
      import { createRequire } from 'node:module';
      const { cache } = createRequire(${JSON.stringify(entry)});
      const natives = () => Object.keys(cache).filter((name) => name.endsWith('.node')).length;
      const image = await import(${JSON.stringify(entry)});
      const before = natives();
      await image.loadSharp();
      console.log(before, natives());`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script]);
    const [before, after] = stdout.trim().split(' ').map(Number);
    assert.equal(before, 0);
    assert.ok(after! > 0, 'loading sharp is not seen by this test');
  });
});

describe('describeRuntime', () => {
  it('names the platform, the C library and Node', () => {
    const library = process.platform === 'linux' ? / \((glibc \d+\.\d+|musl)\),/ : /,/;
    assert.match(describeRuntime(), library);
    assert.ok(describeRuntime().startsWith(`${process.platform} ${process.arch}`));
    assert.ok(describeRuntime().endsWith(`Node ${process.version}`));
  });
});
