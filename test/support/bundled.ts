/** The bundled model's own facts, which change whenever it has been trained on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { bundledModelFolder } from '../../src/paths.ts';

export const bundled = JSON.parse(
  readFileSync(join(bundledModelFolder(), 'm2fp.json'), 'utf8'),
) as ModelManifest & { input: { kind: 'short-side' } };
