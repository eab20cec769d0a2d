/**
 * `npm run cameras -- [--minutes 30] [--seed N] [--only truth|bundled]`: the test of this folder as long as wanted, once with
 * the truth of every picture in place of a model, when all counts must be right, and once with the bundled model, whose counts
 * are told beside the truth; both at the same time. Ends with 1 where something is wrong.
 */
import { parseArgs } from 'node:util';
import { type Model, MODELS, Run } from './run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
    only: { type: 'string' },
  },
});
const chosen = MODELS.filter((name) => values.only === undefined || values.only === name);
if (chosen.length === 0) throw new Error(`--only is one of: ${MODELS.join(', ')}`);
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];

/** What is wrong, after all has been told. */
async function tell(model: Model): Promise<string[]> {
  const run = await Run.start({ model, minutes, seed }, (line) => console.log(`${model}: ${line}`));
  try {
    const { wrong, lines } = await run.play();
    console.log(['', ...lines, `${wrong.length} wrong`, ...wrong].join('\n'));
    return wrong;
  } finally {
    await run.finish();
  }
}

const all = await Promise.all(chosen.map(tell));
process.exitCode = all.flat().length > 0 ? 1 : 0;
