import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict';
import { resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { closedLoop } from '../../bench/engine/closed-loop.ts';
import { benchModel, engineOptions } from '../../bench/engine/index.ts';
import { lines } from '../../bench/engine/lines.ts';
import { Images } from '../../bench/engine/images.ts';
import { repeat } from '../../bench/engine/rounds.ts';
import { quantile } from '../../bench/statistics.ts';
import { shutdownEngines } from '../../src/engine/index.ts';
import { bundledModelFolder } from '../../src/paths.ts';

describe('npm run bench -- engine', () => {
  it('measures a model in every respect', async function () {
    this.timeout(120_000);
    const once = { atLeast: 1, atMost: 1, seconds: 0 };
    try {
      const result = await benchModel(bundledModelFolder(), {
        pools: once,
        http: once,
        deploy: once,
        cache: once,
        images: 4,
      });
      const { model, pools, http, deploy, cache, memory } = result;
      equal(model.id, 'm2fp-demo');
      deepEqual(
        pools.clients.map(({ clients }) => clients),
        [1, 2, 4],
      );
      for (const { clients, requests, one, two } of pools.clients) {
        equal(requests % Math.max(clients, 2), 0);
        for (const { p50Ms, p95Ms, picturesPerSecond } of [one, two]) {
          ok(p50Ms > 0 && p95Ms >= p50Ms && picturesPerSecond > 0);
        }
      }
      ok(http.overheadMs > 0 && http.overheadMs < http.roundTripMs);
      equal(http.overheadShare, http.overheadMs / http.inferenceMs);
      ok(deploy.coldMs > 0 && deploy.warmMs > 0);
      ok(cache.computedMs > 0 && cache.hitMs > 0);
      for (const { loadedMB, growthPer100MB } of [memory.engine, memory.parent]) {
        ok(loadedMB > 10, 'megabytes');
        ok(Number.isFinite(growthPer100MB));
      }
      ok(lines(result).every((line) => !/NaN|undefined|Infinity/.test(line)));
    } finally {
      await shutdownEngines();
    }
  });

  it('checks its options', () => {
    deepEqual(engineOptions([]), { model: bundledModelFolder(), full: false });
    deepEqual(engineOptions(['--full', '--model', 'm']), { model: resolve('m'), full: true });
  });

  for (const args of [['--modle', 'a'], ['--model'], ['--full=yes'], ['a']]) {
    it(`refuses ${args.join(' ')}`, () => {
      throws(() => engineOptions(args), { code: 'M2FP_BAD_OPTION' });
    });
  }

  it('lets each client have one request under way, and shares all out', async () => {
    let running = 0;
    let most = 0;
    let sent = 0;
    const request = async (): Promise<void> => {
      sent++;
      most = Math.max(most, ++running);
      await turn();
      running--;
    };
    const { latencies, seconds } = await closedLoop(3, 7, request);
    deepEqual([sent, most, latencies.length], [7, 3, 7]);
    ok(Math.max(...latencies) <= seconds * 1000);
    await rejects(
      closedLoop(2, 2, () => Promise.reject(new Error('no'))),
      /no/,
    );
  });

  it('repeats until the time is spent, within its limits', async () => {
    const rounds = async (ms: number): Promise<number[]> => {
      let now = 0;
      const limits = { atLeast: 2, atMost: 5, seconds: 1 };
      const round = async (): Promise<number> => (now += ms);
      return repeat(limits, round, () => now);
    };
    deepEqual(await rounds(10), [10, 20, 30, 40, 50]);
    deepEqual(await rounds(400), [400, 800, 1200]);
    deepEqual(await rounds(9000), [9000, 18_000]);
  });

  it('sends no picture twice', () => {
    const images = new Images([Buffer.from('a'), Buffer.from('b')]);
    const sent = Array.from({ length: 5 }, () => images.next().toString('latin1'));
    equal(new Set(sent).size, 5);
    deepEqual(
      sent.map(([first]) => first),
      ['a', 'b', 'a', 'b', 'a'],
    );
  });

  it('knows the middle and the tail', () => {
    equal(quantile([3, 1, 2], 0.5), 2);
    equal(quantile([1, 2], 0.5), 1.5);
    equal(
      quantile(
        Array.from({ length: 21 }, (_, i) => i),
        0.95,
      ),
      19,
    );
    equal(quantile([7], 0.95), 7);
    equal(quantile([1, 2], 1), 2);
  });
});
