/** `npm run build`: compiles the nodes, the child process and the command, and lays their assets beside them. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { transformSync } from 'esbuild';
import { nodeHtml } from './node-html.ts';

// Not left to tsup, whose builds run at once and would delete each other's files.
rmSync('dist', { recursive: true, force: true });
const tsup = spawnSync('tsup', ['--silent'], { stdio: 'inherit', shell: process.platform === 'win32' });
if (tsup.status !== 0) process.exit(tsup.status ?? 1);

// Not left to tsup either, which rewrites what esbuild gave it. It takes 1 % off the package; the lines stay short, for
// whoever reads a stack trace.
for (const file of globSync('dist/**/*.js')) {
  const { code } = transformSync(readFileSync(file, 'utf8'), { minifyWhitespace: true, lineLimit: 160 });
  writeFileSync(file, code);
}

for (const type of readdirSync('nodes')) {
  if (!existsSync(`nodes/${type}/${type}.html`)) continue;
  writeFileSync(`dist/nodes/${type}/${type}.html`, await nodeHtml(type));
  for (const asset of ['locales', 'icons']) {
    cpSync(`nodes/${type}/${asset}`, `dist/nodes/${type}/${asset}`, { recursive: true });
  }
}
// What runs the model where onnxruntime-node does not load: 14 MB out of the 139 MB of the package onnxruntime-web.
const web = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
for (const file of ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm']) {
  copyFileSync(join(web, file), join('dist', 'engine', 'child', 'wasm', file));
}
copyFileSync(
  join('src', 'engine', 'child', 'wasm', 'NOTICE'),
  join('dist', 'engine', 'child', 'wasm', 'NOTICE'),
);
copyFileSync(join('src', 'parsing', 'colorize', 'pixel-font.NOTICE'), join('dist', 'pixel-font.NOTICE'));
cpSync('schemas', 'dist/schemas', { recursive: true });
// The package itself is made of ES modules; what is built for Node-RED is not.
writeFileSync('dist/package.json', '{ "type": "commonjs" }\n');
