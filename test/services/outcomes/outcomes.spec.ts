/** Every request to the parsing service has one outcome, whatever happens meanwhile. `npm run outcomes` does it for longer. */
import assert from 'node:assert/strict';
import { type Arrangement, ARRANGEMENTS, type Report, Run } from './run.ts';

/** Of each arrangement. */
const REQUESTS = 500;
const FAULTS = 5;
const SEED = 20_261_130;

describe(`${ARRANGEMENTS.length * REQUESTS} requests of all kinds and ${ARRANGEMENTS.length * FAULTS} faults (seed ${SEED})`, function () {
  this.timeout(300_000);
  const runs: Run[] = [];
  const reports = new Map<Arrangement, Report>();

  before(async () => {
    const one = async (arrangement: Arrangement): Promise<void> => {
      const run = await Run.start({ arrangement, requests: REQUESTS, faults: FAULTS, seed: SEED });
      runs.push(run);
      reports.set(arrangement, await run.traffic());
    };
    await Promise.all(ARRANGEMENTS.map(one));
  });
  after(() => Promise.all(runs.map((run) => run.finish())));

  for (const arrangement of ARRANGEMENTS) {
    it(`have one outcome each, the counts agree, and nothing is left (${arrangement})`, () => {
      const { wrong, lines } = reports.get(arrangement)!;
      assert.deepEqual(wrong, [], lines.join('\n'));
    });
  }
});
