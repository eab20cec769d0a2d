import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { measureService, serviceEffort } from '../../bench/service/index.ts';
import { lines } from '../../bench/service/lines.ts';
import { factsOf } from '../../bench/service/load.ts';

const timing = { decode: 1, preprocess: 2, inference: 30, postprocess: 4, queue: 5, total: 42 };

describe('npm run bench -- service', () => {
  it('measures the service under load, and what it costs beside the engine', async function () {
    this.timeout(120_000);
    const once = { atLeast: 1, atMost: 1, seconds: 0 };
    const result = await measureService({
      clients: [1, 2],
      seconds: 1,
      load: once,
      workers: null,
      fullSize: 0,
    });
    for (const one of result.clients) {
      ok(one.picturesPerSecond > 0 && one.p99Ms >= one.p95Ms && one.p95Ms >= one.p50Ms && one.p50Ms > 0);
      equal(one.errors, 0);
      ok(one.longestMs >= one.p99LateMs && one.nodeRedMB > 10 && one.engineMB > 10);
    }
    const { overheadMs, engineMs, share } = result.bundled;
    ok(overheadMs > 0 && engineMs > 0 && share > 0);
    ok(lines(result).every((line) => !/NaN|undefined|Infinity/.test(line)));
  });

  it('counts those that were turned away apart, and times only what was parsed', () => {
    const answers = [
      { status: 200, ms: 50, timing },
      { status: 200, ms: 70, timing },
      { status: 429, ms: 1 },
      { status: 503, ms: 1 },
    ];
    const { picturesPerSecond, p50Ms, busy, errors } = factsOf([
      { seconds: 1, answers },
      { seconds: 1, answers: [] },
    ]);
    deepEqual([picturesPerSecond, p50Ms, busy, errors], [1, 60, 1, 1]);
  });

  it('checks its options', () => {
    const { workers, fullSize } = serviceEffort(['--no-full', '--no-workers']);
    deepEqual([workers, fullSize], [null, 0]);
    throws(() => serviceEffort(['--nofull']), { code: 'M2FP_BAD_OPTION' });
  });
});
