/** Converts one checkpoint and prints what it took, as JSON. */
import { resourceUsage } from 'node:process';
import { convertCheckpoint } from '../src/store/convert.ts';

const [source, out] = process.argv.slice(2) as [string, string];
const start = performance.now();
await convertCheckpoint({ source, out });
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, peakMB: resourceUsage().maxRSS / 1024 }));
