import { existsSync, readdirSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';
import { notices } from './tools/notices.ts';

const nodeTypes = readdirSync('nodes').filter((type) => existsSync(`nodes/${type}/${type}.html`));

/**
 * CommonJS, because the flow library reads only `.js` entries and Node-RED 4 uses require(). What is only
 * JavaScript is bundled; native packages stay dependencies. Shared code goes into chunks, once, so that every
 * node of a Node-RED sees the same module state.
 */
const all: Options = {
  entry: {
    ...Object.fromEntries(nodeTypes.map((type) => [`nodes/${type}/${type}`, `nodes/${type}/${type}.ts`])),
    'engine/child/child': 'src/engine/child/child.ts',
    'store/convert-child': 'src/store/convert-child.ts',
    'quantize/quantize-child': 'src/quantize/quantize-child.ts',
    'quantize/speed-child': 'src/quantize/speed-child.ts',
    'cli/m2fp': 'src/cli/m2fp.ts',
  },
  format: ['cjs'],
  outExtension: () => ({ js: '.js' }),
  target: 'node22',
  platform: 'node',
  splitting: true,
  shims: true,
  dts: false,
  // msgpackr-extract: native code that msgpackr does without.
  external: ['sharp', 'onnxruntime-node', 'msgpackr-extract'],
  esbuildPlugins: [notices('dist/THIRD-PARTY-NOTICES.txt')],
};

/** Without chunks: onnxruntime's WebAssembly build looks for its other files beside its own code. */
const wasm: Options = {
  ...all,
  entry: { 'engine/child/wasm/runtime': 'src/engine/child/wasm/runtime.ts' },
  splitting: false,
};

/** Scripts that the editor loads as they are: what the forms have in common, and previews. */
const scripts: Options = {
  entry: {
    'm2fp-form': 'nodes/form/index.ts',
    'm2fp-preview': 'nodes/m2fp-preview/editor/index.ts',
  },
  outDir: 'resources',
  format: ['iife'],
  outExtension: () => ({ js: '.js' }),
  target: 'es2022',
  platform: 'browser',
  dts: false,
  clean: true,
};

export default defineConfig([all, wasm, scripts]);
