// What an empty user folder begins with: examples of the package, with the workers where there are some.
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

// The second one and the third answer at the root, too: /parse, /ready, /metrics.
const EXAMPLES = ['4 Parsing service', '2 HTTP API', '8 Health and metrics'];
const PACKAGE = path.dirname(require.resolve('@m2fp/node-red-human-parsing/package.json'));

/** Writes nothing over what is there. */
exports.writeFirstFlows = (userDir) => {
  const file = path.join(userDir, 'flows.json');
  if (existsSync(file)) return;
  const all = EXAMPLES.flatMap((name) =>
    JSON.parse(readFileSync(path.join(PACKAGE, 'examples', `${name}.json`), 'utf8')),
  );
  // They share their model.
  const nodes = [...new Map(all.map((node) => [node.id, node])).values()];
  const models = nodes.filter(({ type }) => type === 'm2fp-model');
  if (process.env.M2FP_REDIS_URL) {
    for (const model of models)
      Object.assign(model, { source: 'remote', redis: '${M2FP_REDIS_URL}', queue: '${M2FP_QUEUE}' });
    const credentials = Object.fromEntries(
      models.map(({ id }) => [id, { redisPassword: '${M2FP_REDIS_PASSWORD}' }]),
    );
    // Node-RED encrypts them when it saves them.
    writeFileSync(path.join(userDir, 'flows_cred.json'), JSON.stringify(credentials), { mode: 0o600 });
  }
  writeFileSync(file, JSON.stringify(nodes, undefined, 4));
};
