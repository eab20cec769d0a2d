// Remembers this Node.js for the steps that come, which run on another one: as M2FP_TEST_NODE. Plain JavaScript, because
// the old ones that it runs on read nothing else.
const { appendFileSync } = require('node:fs');

appendFileSync(process.env.GITHUB_ENV, `M2FP_TEST_NODE=${process.execPath}\n`);
