/** Loaded into Node-RED's process before anything else: tells, by HTTP, how late its event loop was since the last time, and its memory. */
import { createServer } from 'node:http';
import { basename } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION = 5;
const MILLISECOND = 1e6;

// Not into the processes that it starts.
if (basename(process.argv[1] ?? '') === 'red.js') {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();
  createServer((_request, response) => {
    // What it measures is the time from one turn to the next, the pause that was asked for included.
    const late = (value) => Math.max(0, value / MILLISECOND - RESOLUTION);
    const told = {
      longestMs: late(delay.max),
      p99LateMs: late(delay.percentile(99)),
      rss: process.memoryUsage.rss(),
    };
    response.end(JSON.stringify(told));
    delay.reset();
  })
    .listen(Number(process.env.M2FP_BENCH_PROBE), '127.0.0.1')
    .unref();
}
