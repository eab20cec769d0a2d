import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import {
  DEPENDENCIES,
  describeRuntime,
  foreseenSharpProblem,
  loadSharp,
  memoisedSharp,
} from '../../src/image/sharp.ts';
import { failure } from './support.ts';

const run = promisify(execFile);

describe('foreseenSharpProblem', () => {
  const folder = mkdtempSync(join(tmpdir(), 'm2fp-sharp-'));
  const modules = join(folder, 'node_modules');
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(modules, path)), { recursive: true });
    writeFileSync(join(modules, path), text);
  };
  const foreseen = () => foreseenSharpProblem(join(folder, 'package.json'));
  beforeEach(() => rmSync(modules, { recursive: true, force: true }));
  after(() => rmSync(folder, { recursive: true }));

  it('is null where sharp and its binary are there', () => assert.equal(foreseenSharpProblem(), null));

  it('says what helps where sharp is not installed', () => {
    assert.match(
      foreseen()?.message ?? '',
      /sharp does not load on .*Cannot find module.*--include=optional sharp/,
    );
  });

  it('says what helps where its binary is not, as after --omit=optional', () => {
    put('sharp/dist/index.cjs', '');
    put('sharp/package.json', '{"main": "dist/index.cjs"}');
    const problem = foreseen();
    assert.equal(problem?.code, 'M2FP_ENGINE_UNAVAILABLE');
    assert.match(problem.message, /binary for this system is not installed.*--include=optional sharp/);
    put(`@img/sharp-${process.platform}-${process.arch}/sharp.node`, '');
    assert.equal(foreseen(), null);
  });

  it('takes one that somebody compiled, and that for WebAssembly', () => {
    put('sharp/dist/index.cjs', '');
    put('sharp/package.json', '{"main": "dist/index.cjs"}');
    put('sharp/src/build/Release/sharp-linux-x64-0.0.0.node', '');
    assert.equal(foreseen(), null);
    rmSync(join(modules, 'sharp/src'), { recursive: true });
    put('@img/sharp-wasm32/sharp.node', '');
    assert.equal(foreseen(), null);
  });
});

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
