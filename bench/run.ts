/** `npm run bench -- NAME [--json] [options of NAME]`: `--json` prints one JSON object as the last line. */
import { M2fpError } from '../src/errors.ts';
import { benchAccuracy } from './accuracy/index.ts';
import { benchCamera } from './camera/index.ts';
import { benchConvert } from './convert.ts';
import { benchDescribe } from './describe/index.ts';
import { benchEngine } from './engine/index.ts';
import { benchExport } from './export/index.ts';
import { benchGraph } from './graph.ts';
import { benchService } from './service/index.ts';
import { benchTrack } from './track/index.ts';

/** Benches that take options get what follows their name. */
type Bench = (log: (line: string) => void, args: string[]) => Promise<object>;

const BENCHES: Record<string, Bench> = {
  accuracy: benchAccuracy,
  camera: benchCamera,
  convert: benchConvert,
  describe: benchDescribe,
  engine: benchEngine,
  export: benchExport,
  graph: benchGraph,
  service: benchService,
  track: benchTrack,
};

const json = process.argv.includes('--json');
const [name = '', ...args] = process.argv.slice(2).filter((arg) => arg !== '--json');
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined || (args.length > 0 && bench.length < 2)) {
  console.error(`Usage: npm run bench -- NAME [--json]; NAME is one of: ${Object.keys(BENCHES).join(', ')}`);
  process.exit(1);
}
try {
  const result = await bench((line) => console.log(line), args);
  if (json) console.log(JSON.stringify(result));
} catch (error) {
  if (!(error instanceof M2fpError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
