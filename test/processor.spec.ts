import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { int8Instructions, processorFacts } from '../src/processor.ts';

describe('the facts of the processor', () => {
  let folder = '';
  before(() => (folder = mkdtempSync(join(tmpdir(), 'm2fp-processor-'))));
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, text, features] of [
    [
      'an Intel or AMD',
      'processor\t: 0\nflags\t\t: fpu avx avx2 rdpid avx512_vnni\nbugs\t: x',
      ['avx', 'avx2', 'avx512_vnni'],
    ],
    ['an Arm', 'processor\t: 0\nFeatures\t: fp asimd evtstrm asimddp\n', ['asimd', 'asimddp']],
    ['an unknown', 'cpu : 1\n', null],
  ] as const) {
    it(`name the features of ${name}`, async () => {
      const file = join(folder, 'cpuinfo');
      writeFileSync(file, text);
      const found = await processorFacts(file);
      assert.deepEqual(found.features, features);
      assert.equal(found.cores, availableParallelism());
    });
  }

  it('know no features where the system has no list', async () => {
    assert.equal((await processorFacts(join(folder, 'none'))).features, null);
  });

  it('tell the best instructions for int8', () => {
    const best = (...features: string[]) => int8Instructions({ features });
    assert.equal(best('sse4_1', 'avx', 'avx2', 'avx512f', 'avx512_vnni'), 'AVX512-VNNI');
    assert.equal(best('avx2', 'avx_vnni'), 'AVX-VNNI');
    assert.equal(best('avx', 'avx2', 'fma'), 'AVX2');
    assert.equal(best('asimd', 'asimddp'), 'NEON-DOTPROD');
    assert.equal(best('sse4_1'), process.arch);
    assert.equal(int8Instructions({ features: null }), process.arch);
  });
});
