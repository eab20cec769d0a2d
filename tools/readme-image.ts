/** `npm run docs:image`: makes docs/result.png from a bundled sample, so that the README shows what the model does. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { acquireEngine, shutdownEngines } from '../src/engine/index.ts';
import { colorize } from '../src/parsing/colorize/colorize.ts';
import { bundledModelFolder, packageRoot } from '../src/paths.ts';

const TILE = 448;

const image = readFileSync(join(bundledModelFolder(), 'samples', 'two-people.png'));
const { engine } = await acquireEngine({ model: bundledModelFolder() });
const parsing = await engine.parse({ image });
await shutdownEngines();
const images = [
  image,
  (await colorize(parsing, { mode: 'overlay', opacity: 0.8, contours: 1 })).image,
  (await colorize(parsing, { mode: 'overlay', opacity: 0.8, by: 'person', contours: 1 })).image,
];
const tiles = await Promise.all(images.map((encoded) => sharp(encoded).resize(TILE, TILE).png().toBuffer()));
mkdirSync(join(packageRoot(), 'docs'), { recursive: true });
await sharp({ create: { width: TILE * tiles.length, height: TILE, channels: 3, background: 'white' } })
  .composite(tiles.map((input, index) => ({ input, left: index * TILE, top: 0 })))
  .png({ palette: true, colours: 128 })
  .toFile(join(packageRoot(), 'docs', 'result.png'));
