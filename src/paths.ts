/**
 * Where things lie, both when run from the TypeScript sources and from the built package: the bundler moves
 * code between files, so a path relative to the module at hand would differ between the two.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);
/** Whether this runs from the TypeScript sources. */
export const isFromSource = here.endsWith('.ts');

/** The package's root folder: the nearest one above that holds `models/demo`. */
export function packageRoot(): string {
  let folder = dirname(here);
  while (!existsSync(join(folder, 'models', 'demo'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error(`The folder models/demo is missing above ${here}: reinstall the package`);
    folder = parent;
  }
  return folder;
}

/** The file to start for one of our own processes, for example `engine/child/child`. */
export function entryPoint(name: string): string {
  return isFromSource ? join(packageRoot(), 'src', `${name}.ts`) : join(packageRoot(), 'dist', `${name}.js`);
}

/** The folder of the drawn scenes that ship with the package: pictures to make a model int8 with, for who has none. */
export function drawnScenesFolder(): string {
  return join(bundledModelFolder(), 'scenes');
}

/** The folder of the model that ships with the package. */
export function bundledModelFolder(): string {
  return join(packageRoot(), 'models', 'demo');
}
