/** Times for tests: what a user waits ten seconds for comes in one or two. */
import type { Times } from '../../../src/engine/remote/redis/settings.ts';

export const SHORT: Partial<Times> = {
  silence: 5000,
  verify: 500,
  heartbeat: 300,
  lifetime: 2000,
  check: 200,
  lockDuration: 2000,
  stalled: 1000,
  retry: 200,
};
