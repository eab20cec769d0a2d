/** A picture whose result is kept, against one that is computed. */
import { acquireEngine } from '../../src/engine/index.ts';
import { median } from '../statistics.ts';
import type { Images } from './images.ts';
import { repeat, type Rounds, timed } from './rounds.ts';

const CACHE_MIB = 64;

export interface CacheResult {
  rounds: number;
  computedMs: number;
  hitMs: number;
  /** Median over the rounds of computed by hit. */
  ratio: number;
}

export async function benchCache(model: string, images: Images, rounds: Rounds): Promise<CacheResult> {
  const lease = await acquireEngine({ model, cacheSize: CACHE_MIB, warmUp: true });
  const { engine } = lease;
  try {
    await engine.load();
    const found = await repeat(rounds, async () => {
      const image = images.next();
      const computed = await timed(() => engine.parse({ image }));
      const hit = await timed(() => engine.parse({ image }));
      if (computed.value.cached || !hit.value.cached) throw new Error('The cache did not keep the result.');
      return { computed: computed.ms, hit: hit.ms };
    });
    return {
      rounds: found.length,
      computedMs: median(found.map(({ computed }) => computed)),
      hitMs: median(found.map(({ hit }) => hit)),
      ratio: median(found.map(({ computed, hit }) => computed / hit)),
    };
  } finally {
    await engine.unload();
    lease.release();
  }
}
