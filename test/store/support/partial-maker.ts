/** A process that makes something beside the place that it is given, until it is told to exit, or killed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inPartialFolder } from '../../../src/store/partial.ts';

await inPartialFolder(process.argv[2]!, async (folder) => {
  writeFileSync(join(folder, 'half'), '');
  process.send!('made');
  await new Promise<void>(() => process.once('message', () => process.exit()));
});
