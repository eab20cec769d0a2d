/** A picture through Node-RED by HTTP, against the same picture given to an engine of this process. */
import { acquireEngine } from '../../src/engine/index.ts';
import { median } from '../statistics.ts';
import type { BenchFlow } from './flow.ts';
import type { Images } from './images.ts';
import { repeat, type Rounds, timed } from './rounds.ts';

export interface HttpResult {
  rounds: number;
  roundTripMs: number;
  directMs: number;
  /** Median over the rounds of round trip by direct call: as noisy as the inference. */
  ratio: number;
  /**
   * Median of what a round trip took beyond the parsing inside it, which its answer tells: upload, Node-RED, summary,
   * answer. Both are of the same request, so that the inference's noise is in neither.
   */
  overheadMs: number;
  /** Median of the network's run in the direct calls. */
  inferenceMs: number;
  /** `overheadMs` by `inferenceMs`. */
  overheadShare: number;
}

/** The flow's model must be the one of this folder, and loaded. */
export async function benchHttp(
  flow: BenchFlow,
  model: string,
  images: Images,
  rounds: Rounds,
): Promise<HttpResult> {
  const lease = await acquireEngine({ model, warmUp: true });
  const { engine } = lease;
  try {
    await engine.load();
    const round = async () => {
      const image = images.next();
      const http = await timed(() => flow.parse(image));
      const direct = await timed(() => engine.parse({ image }));
      return {
        http: http.ms,
        direct: direct.ms,
        overhead: http.ms - http.value.timing.total,
        inference: direct.value.timing.inference,
      };
    };
    // The first one finds code that was not run before, in both.
    await round();
    const found = await repeat(rounds, round);
    const overheadMs = median(found.map(({ overhead }) => overhead));
    const inferenceMs = median(found.map(({ inference }) => inference));
    return {
      rounds: found.length,
      roundTripMs: median(found.map(({ http }) => http)),
      directMs: median(found.map(({ direct }) => direct)),
      ratio: median(found.map(({ http, direct }) => http / direct)),
      overheadMs,
      inferenceMs,
      overheadShare: overheadMs / inferenceMs,
    };
  } finally {
    await engine.unload();
    lease.release();
  }
}
