/** Parses pictures of mixed sizes and prints, as JSON, the memory after the load, after half of them and after all. */
import { acquireEngine, shutdownEngines } from '../../src/engine/index.ts';
import { residentBytes } from '../../src/engine/local/process-memory.ts';
import { drawImages, Images } from './images.ts';

/** Bytes of resident memory. */
export interface MemoryReading {
  engine: number;
  parent: number;
}

/** Of the sources; every shape that a camera or a phone has. */
const SIZES = [
  { width: 640, height: 480 },
  { width: 480, height: 640 },
  { width: 320, height: 240 },
  { width: 960, height: 540 },
  { width: 200, height: 600 },
  { width: 600, height: 200 },
  { width: 1280, height: 720 },
];
/** Of the network's input; as many as have no common turn with the sources. */
const SHORT_SIDES = [128, 256, 160, 224, 192];
const LONG_SIDE = 384;

const [model, count] = process.argv.slice(2) as [string, string];
const images = new Images(await drawImages(SIZES));
const { engine } = await acquireEngine({ model });

function read(): MemoryReading {
  const [child] = engine.info().processes;
  if (!child?.pid) throw new Error('The engine does not run.');
  // Where the system does not show it, what the process told with its last answer.
  const resident = residentBytes(child.pid) ?? child.rss;
  if (resident === null) throw new Error('The engine does not tell its memory.');
  return { engine: resident, parent: process.memoryUsage.rss() };
}

async function parse(from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    const shortSide = SHORT_SIDES[i % SHORT_SIDES.length];
    await engine.parse({ image: images.next(), options: { shortSide, longSide: LONG_SIDE } });
  }
}

await engine.load();
const readings = [read()];
const half = Math.floor(Number(count) / 2);
await parse(0, half);
readings.push(read());
await parse(half, Number(count));
readings.push(read());
console.log(JSON.stringify(readings));
await shutdownEngines();
