/** Data sets in every format, for the readers of others to read: bench/export/read_back.py. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { acquireEngine, shutdownEngines } from '../../src/engine/index.ts';
import { DataSet } from '../../src/export/dataset/data-set.ts';
import { DATA_SET_OPTIONS, EXPORT_FORMATS } from '../../src/export/export-options.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { listScenes } from '../accuracy/scenes.ts';

const SCENES = resolve(import.meta.dirname, '../scenes');
const PICTURES = 12;
const { choices: CONTENTS = [] } = DATA_SET_OPTIONS.content.form;
const { choices: SHAPES = [] } = DATA_SET_OPTIONS.shapes.form;

/** `npm run bench -- export FOLDER`: milliseconds for a picture, by data set. */
export async function benchExport(log: (line: string) => void, args: string[]): Promise<object> {
  const folder = resolve(args[0] ?? 'coverage/export');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { engine } = await acquireEngine({ model: bundledModelFolder() });
  const pictures = [];
  for (const file of (await listScenes(SCENES)).slice(0, PICTURES)) {
    const image = await readFile(join(SCENES, 'Images', file));
    pictures.push({ file, parsing: await engine.parse({ image, options: { scoreThreshold: 0.5 } }) });
  }
  await shutdownEngines();
  const times: Record<string, number> = {};
  for (const format of EXPORT_FORMATS) {
    for (const content of CONTENTS as ('parts' | 'garments' | 'persons')[]) {
      for (const shapes of SHAPES as ('polygons' | 'masks')[]) {
        const name = `${format}-${content}-${shapes}`;
        const start = performance.now();
        const set = await DataSet.open(join(folder, name), { format, content, shapes, validation: 20 });
        for (const { file, parsing } of pictures) await set.add(parsing, file);
        await set.close();
        times[name] = (performance.now() - start) / pictures.length;
        log(`${name.padEnd(34)}${times[name].toFixed(1).padStart(6)} ms a picture`);
      }
    }
  }
  log(`Read them back: python3 bench/export/read_back.py ${folder}`);
  return times;
}
