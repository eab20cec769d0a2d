/**
 * `node tools/readme-screenshots.ts`, after `npm run test:editor`: makes the README's pictures of the editor from the
 * screenshots of those tests, so that they show what is.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../src/paths.ts';

/** Names in docs, and of the screenshots. */
const IMAGES = {
  preview: 'light flow',
  viewer: 'light enlarged',
  'viewer-dark': 'dark enlarged',
  'form-colorize': 'light m2fp-colorize',
  'form-redact': 'light m2fp-redact',
  'form-model': 'light m2fp-model',
};

const docs = join(packageRoot(), 'docs');
mkdirSync(docs, { recursive: true });
for (const [name, screenshot] of Object.entries(IMAGES)) {
  const file = join(packageRoot(), 'coverage', 'screenshots', `${screenshot}.png`);
  if (!existsSync(file)) throw new Error(`${file} is missing: run "npm run test:editor" first`);
  await sharp(file)
    .png({ palette: true, colours: 128, effort: 10 })
    .toFile(join(docs, `${name}.png`));
}
