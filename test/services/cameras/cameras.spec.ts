/** What four cameras show is what MQTT is told, for about a minute. `npm run cameras` does it for longer, and with a model, too. */
import assert from 'node:assert/strict';
import { type Report, Run } from './run.ts';

const SEED = 20_261_130;

describe(`four cameras, tracked and described over MQTT (seed ${SEED})`, function () {
  this.timeout(600_000);
  let run: Run | undefined;
  let report: Report;

  before(async () => {
    run = await Run.start({ model: 'truth', minutes: 0.7, seed: SEED });
    report = await run.play();
  });
  after(() => run?.finish());

  it('are told as they were: every frame, who came and went, zones, lines and clothes', () => {
    assert.deepEqual(report.wrong, [], report.lines.join('\n'));
  });
});
