/** `node graph-memory.ts FOLDER HEIGHT WIDTH [fixed]`: megabytes that this process takes with the graph, after some runs. */
import { feedsOf, openGraph } from './graph-run.ts';

const RUNS = 3;

const [folder, ...rest] = process.argv.slice(2) as [string, ...string[]];
const [height, width] = rest.map(Number) as [number, number];
const session = await openGraph(folder, rest[2] === 'fixed' ? { height, width } : undefined);
const feeds = feedsOf(height, width);
for (let run = 0; run < RUNS; run++) await session.run(feeds);
console.log(process.memoryUsage.rss() / 1e6);
