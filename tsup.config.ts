import { existsSync, readdirSync } from 'node:fs';
import { defineConfig } from 'tsup';

const nodeTypes = readdirSync('nodes').filter((type) => existsSync(`nodes/${type}/${type}.html`));

/**
 * CommonJS, because the flow library reads only `.js` entries and Node-RED 4 uses require(). What is only
 * JavaScript is bundled; native packages stay dependencies. Shared code goes into chunks, once, so that every
 * node of a Node-RED sees the same module state.
 */
export default defineConfig({
  entry: {
    ...Object.fromEntries(nodeTypes.map((type) => [`nodes/${type}/${type}`, `nodes/${type}/${type}.ts`])),
    'engine/child': 'src/engine/child.ts',
    'store/convert-child': 'src/store/convert-child.ts',
    'cli/m2fp': 'src/cli/m2fp.ts',
  },
  format: ['cjs'],
  outExtension: () => ({ js: '.js' }),
  target: 'node22',
  platform: 'node',
  splitting: true,
  shims: true,
  dts: false,
  clean: true,
  external: ['sharp', 'onnxruntime-node'],
});
