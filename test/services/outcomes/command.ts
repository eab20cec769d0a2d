/**
 * `npm run outcomes -- [--requests 10000] [--faults 100] [--seed N] [--only embedded|remote]`: the test of this folder as long as
 * wanted, half of it with an engine of Node-RED's own, half with workers. Ends with 1 where something is wrong.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Arrangement, ARRANGEMENTS, Run } from './run.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '10000' },
    faults: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
    only: { type: 'string' },
  },
});
const chosen = ARRANGEMENTS.filter((name) => values.only === undefined || values.only === name);
if (chosen.length === 0) throw new Error(`--only is one of: ${ARRANGEMENTS.join(', ')}`);
const [requests, faults, seed] = [values.requests, values.faults, values.seed].map(Number) as [
  number,
  number,
  number,
];

/** What is wrong, after all has been told. */
async function tell(arrangement: Arrangement): Promise<string[]> {
  const share = { requests: Math.ceil(requests / chosen.length), faults: Math.ceil(faults / chosen.length) };
  const run = await Run.start({ arrangement, ...share, seed }, (line) =>
    console.log(`${arrangement}: ${line}`),
  );
  try {
    const { wrong, lines } = await run.traffic();
    const kept = await run.expired();
    if (kept.length > 0) wrong.push(`Kept for too long: ${kept.join(', ')}`);
    console.log([`\n${arrangement}, seed ${seed}`, ...lines, `${wrong.length} wrong`, ...wrong].join('\n'));
    if (wrong.length > 0) {
      const file = join(tmpdir(), `outcomes-${arrangement}-${seed}.log`);
      writeFileSync(file, run.log);
      console.log(`Node-RED's log: ${file}`);
    }
    return wrong;
  } finally {
    await run.finish();
  }
}

const all = await Promise.all(chosen.map(tell));
process.exitCode = all.flat().length > 0 ? 1 : 0;
