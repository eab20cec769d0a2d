/** Load: clients that each send their next request when they have the answer to the one before. */
import { timed } from './rounds.ts';

export interface LoopResult {
  seconds: number;
  /** Milliseconds of each request. */
  latencies: number[];
}

/** Shares `requests` out among the clients as they come to ask; throws what a request throws. */
export async function closedLoop(
  clients: number,
  requests: number,
  request: () => Promise<unknown>,
): Promise<LoopResult> {
  const latencies: number[] = [];
  let left = requests;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left--;
      latencies.push((await timed(request)).ms);
    }
  };
  const { ms } = await timed(() => Promise.all(Array.from({ length: clients }, client)));
  return { seconds: ms / 1000, latencies };
}
