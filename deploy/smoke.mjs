// Runs inside a new Node-RED container before it gets requests: one real picture, and is the answer right?
// SMOKE_PATH is where the flows take pictures (POST, answered with JSON that has `persons`), /parse unless set; `none` for
// flows without such a path: then the picture goes through the `m2fp` command. SMOKE_PERSONS is how many people the model has
// to find in it, 2 unless set.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const home = '/usr/src/node_modules/@m2fp/node-red-human-parsing';
const picture = `${home}/models/demo/samples/two-people.png`;
const path = process.env.SMOKE_PATH || '/parse';
const expected = Number(process.env.SMOKE_PERSONS || 2);

async function ask() {
  if (path === 'none')
    return JSON.parse(
      execFileSync('node', [`${home}/dist/cli/m2fp.js`, 'parse', picture], { timeout: 60_000 }),
    );
  const response = await fetch(`http://127.0.0.1:1880${path}`, {
    method: 'POST',
    headers: { 'content-type': 'image/png', accept: 'application/json' },
    body: readFileSync(picture),
    signal: AbortSignal.timeout(60_000),
  });
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

try {
  const { persons } = await ask();
  if (!Array.isArray(persons)) throw new Error('the answer has no persons');
  if (persons.length !== expected) throw new Error(`${persons.length} persons in a picture of ${expected}`);
  console.log(`${persons.length} persons found, as it should be.`);
} catch (error) {
  console.error(error instanceof SyntaxError ? 'the answer is not JSON' : error.message);
  process.exitCode = 1;
}
