import assert from 'node:assert/strict';
import { services } from '../../../nodes/common/services.ts';
import { DiagnosisCache } from '../../../nodes/m2fp-load/diagnosis-cache.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Diagnosis } from '../../../src/observe/diagnosis.ts';
import { restoreEngines } from '../support/fake-engine.ts';

describe('the check-up of an installation', () => {
  let asked: number;
  let now: number;
  let diagnoses: DiagnosisCache;
  const ask = (store = '/store') => diagnoses.diagnosis(store, '5.0.0');

  beforeEach(() => {
    [asked, now] = [0, 0];
    diagnoses = new DiagnosisCache({ ...systemClock, now: () => now });
    services.diagnose = async () => ({ version: String(++asked) }) as Diagnosis;
  });
  afterEach(restoreEngines);

  it('is made once for all who ask within a minute', async () => {
    const both = await Promise.all([ask(), ask()]);
    now = 59_999;
    assert.deepEqual(
      [...both, await ask()].map(({ version }) => version),
      ['1', '1', '1'],
    );
    now = 60_000;
    assert.equal((await ask()).version, '2');
  });

  it('is made anew for another store', async () => {
    await ask();
    assert.equal((await ask('/other')).version, '2');
  });

  it('that failed is tried again', async () => {
    services.diagnose = () => Promise.reject(new Error('no'));
    await assert.rejects(ask(), /no/);
    services.diagnose = async () => ({ version: 'again' }) as Diagnosis;
    assert.equal((await ask()).version, 'again');
  });
});
