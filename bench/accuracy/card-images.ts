/**
 * `node bench/accuracy/card-images.ts`: makes what the model card shows. docs/card/drawn.jpg: the first committed
 * scenes, whatever the model makes of them, their truth, the bundled model's parts and persons. docs/card/photos.jpg:
 * the photos of docs/card/photos, parts and persons.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { acquireEngine, shutdownEngines } from '../../src/engine/index.ts';
import type { Engine } from '../../src/engine/types.ts';
import { colorize } from '../../src/parsing/colorize/colorize.ts';
import { resolvePalette } from '../../src/parsing/options/palette.ts';
import { bundledModelFolder, packageRoot } from '../../src/paths.ts';
import { listScenes, readScene, type Truth } from './scenes.ts';

const SCENES = 8;
const TILE = 144;
const PHOTO_TILE = 200;

/** Parts and persons over the picture. */
async function found(engine: Engine, image: Buffer): Promise<Buffer[]> {
  const parsing = await engine.parse({ image });
  const look = { mode: 'overlay', opacity: 0.75, contours: 1 } as const;
  return [(await colorize(parsing, look)).image, (await colorize(parsing, { ...look, by: 'person' })).image];
}

/** The labels in the same colours. */
function painted({ width, height, categories }: Truth, labels: readonly string[]): Promise<Buffer> {
  const colors = resolvePalette(labels);
  const data = Uint8Array.from([...categories].flatMap((label) => [...colors[label]!]));
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Columns of pictures side by side, as JPEG. */
async function sheet(columns: readonly Buffer[][], tile: number, file: string): Promise<void> {
  const tiles = columns.flatMap((column, x) =>
    column.map(async (image, y) => ({
      input: await sharp(image).resize(tile, tile, { fit: 'contain', background: 'white' }).png().toBuffer(),
      left: x * tile,
      top: y * tile,
    })),
  );
  const create = {
    width: columns.length * tile,
    height: columns[0]!.length * tile,
    channels: 3,
    background: 'white',
  } as const;
  const { size } = await sharp({ create })
    .composite(await Promise.all(tiles))
    .jpeg({ quality: 76 })
    .toFile(file);
  console.log(file, size);
}

const card = join(packageRoot(), 'docs', 'card');
const scenes = join(packageRoot(), 'bench', 'scenes');
const photos = join(card, 'photos');
const { engine } = await acquireEngine({ model: bundledModelFolder() });
try {
  const { labels } = engine.info().manifest;
  const drawn: Buffer[][] = [];
  for (const file of (await listScenes(scenes)).slice(0, SCENES)) {
    const { image, truth } = await readScene(scenes, file);
    drawn.push([image, await painted(truth, labels), ...(await found(engine, image))]);
  }
  await sheet(drawn, TILE, join(card, 'drawn.jpg'));
  const real: Buffer[][] = [];
  for (const file of (await readdir(photos)).filter((name) => name.endsWith('.jpg')).toSorted()) {
    const image = await readFile(join(photos, file));
    real.push([image, ...(await found(engine, image))]);
  }
  await sheet(real, PHOTO_TILE, join(card, 'photos.jpg'));
} finally {
  await shutdownEngines();
}
