/** `npm run bench -- NAME [--json]`: `--json` prints one JSON object as the last line. */
import { parseArgs } from 'node:util';
import { benchConvert } from './convert.ts';
import { benchGraph } from './graph.ts';

const BENCHES: Record<string, (log: (line: string) => void) => Promise<object>> = {
  convert: benchConvert,
  graph: benchGraph,
};

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
const bench = BENCHES[positionals[0] ?? ''];
if (bench === undefined || positionals.length !== 1) {
  console.error(`Usage: npm run bench -- NAME [--json]; NAME is one of: ${Object.keys(BENCHES).join(', ')}`);
  process.exit(1);
}
const result = await bench((line) => console.log(line));
if (values.json) console.log(JSON.stringify(result));
