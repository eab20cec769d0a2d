import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundledModelFolder } from '../../../src/paths.ts';
import { probes } from '../../../src/observe/native.ts';

const RUNTIME = new URL('../../../src/engine/child/session.ts', import.meta.url).href;

describe('telemetry of onnxruntime', function () {
  this.timeout(60_000);
  let folder = '';
  const saved = process.env['TMPDIR'];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-telemetry-'));
    process.env['TMPDIR'] = folder;
  });
  afterEach(() => {
    if (saved === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = saved;
    rmSync(folder, { recursive: true });
  });

  // What it would send lies in files there first, or at least the log of its sender does.
  const nothingWritten = () => assert.deepEqual(readdirSync(folder), []);

  it('is off where a model runs', async () => {
    const program = `
      const { openSession } = await import(${JSON.stringify(RUNTIME)});
      const session = await openSession(${JSON.stringify(bundledModelFolder())}, 1);
      await session.run({ width: 64, height: 64, data: new Uint8Array(64 * 64 * 3) });
      await session.close();`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    nothingWritten();
  });

  it('is off where the doctor tries the runtime', async () => {
    assert.equal((await probes.onnxruntime()).problem, null);
    nothingWritten();
  });
});
