import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import nodeRed from 'node-red/package.json' with { type: 'json' };
import { freeDisk, memoryFacts, nodeRedFacts, platformFacts } from '../../src/observe/system.ts';

describe('the facts of the system', () => {
  let folder = '';
  before(() => (folder = mkdtempSync(join(tmpdir(), 'm2fp-system-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('name the platform and its C library', () => {
    const { system, arch, libc } = platformFacts();
    assert.deepEqual([system, arch], [process.platform, process.arch]);
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
    if (process.platform !== 'linux') assert.equal(libc, null);
    else if (header.glibcVersionRuntime === undefined)
      assert.deepEqual(libc, { name: 'musl', version: null });
    else assert.deepEqual(libc, { name: 'glibc', version: header.glibcVersionRuntime });
  });

  it('count the memory', () => {
    const { total, free } = memoryFacts();
    assert.ok(free > 0 && free <= total && total <= totalmem());
  });

  it('count the free disk of a folder that is not there yet', async () => {
    const free = await freeDisk(join(folder, 'not', 'yet'));
    assert.ok(free !== null && free > 0);
  });

  it('find Node-RED', async () => {
    assert.deepEqual(await nodeRedFacts(), { version: nodeRed.version, where: 'the current folder' });
  });

  it('find the Node-RED of the user folder', async () => {
    const installed = join(folder, '.node-red', 'node_modules', 'node-red');
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(installed, 'package.json'), '{ "version": "4.1.7" }');
    assert.deepEqual(await nodeRedFacts({ current: folder, home: folder }), {
      version: '4.1.7',
      where: 'the user folder',
    });
  });
});
