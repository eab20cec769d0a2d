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
import { basename, dirname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { transformSync } from 'esbuild';
import { openApi } from '../src/service/openapi/document.ts';
import { nodeHtml } from './node-html.ts';

/** Lays `file` into `folder`, compressed with Brotli. @param quality 11 is the best, and slow */
function packInto(file: string, folder: string, quality: number): void {
  const content = readFileSync(file);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  writeFileSync(join(folder, `${basename(file)}.br`), brotliCompressSync(content, { params }));
}

// Not left to tsup, whose builds run at once and would delete each other's files.
rmSync('dist', { recursive: true, force: true });
const tsup = spawnSync('tsup', ['--silent'], { stdio: 'inherit', shell: process.platform === 'win32' });
if (tsup.status !== 0) process.exit(tsup.status ?? 1);
// Comments and indents are a hundred kilobytes of the download. Names stay, and lines, so that a stack trace can be read. Not
// left to tsup: it changes the code once more after esbuild has written it, and takes "return" and a name for one word then.
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
const wasm = join('dist', 'engine', 'child', 'wasm');
copyFileSync(join(web, 'ort-wasm-simd-threaded.mjs'), join(wasm, 'ort-wasm-simd-threaded.mjs'));
// Compressed: 0.8 MB less to download than with the gzip of npm, and 11 MB less on disk.
packInto(join(web, 'ort-wasm-simd-threaded.wasm'), wasm, 6);
copyFileSync(
  join('src', 'engine', 'child', 'wasm', 'NOTICE'),
  join('dist', 'engine', 'child', 'wasm', 'NOTICE'),
);
copyFileSync(join('src', 'parsing', 'colorize', 'pixel-font.NOTICE'), join('dist', 'pixel-font.NOTICE'));
cpSync('schemas', 'dist/schemas', { recursive: true });
writeFileSync('dist/schemas/openapi.json', JSON.stringify(openApi()));
const page = join('dist', 'service', 'page');
cpSync(join('src', 'service', 'page'), page, { recursive: true });
const viewer = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist'));
for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js']) packInto(join(viewer, file), page, 9);
copyFileSync(join(viewer, 'NOTICE'), join(page, 'swagger-ui.NOTICE'));
// The package itself is made of ES modules; what is built for Node-RED is not.
writeFileSync('dist/package.json', '{ "type": "commonjs" }\n');
