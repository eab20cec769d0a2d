// The flows as they are in flows.json, run by Node-RED's test helper and asked over HTTP, as in production.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const helper = require('node-red-node-test-helper');

const PACKAGE = '@m2fp/node-red-human-parsing';
const home = path.dirname(require.resolve(`${PACKAGE}/package.json`));
const flows = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'flows.json'), 'utf8'));

// The types that the flows use: all of the package, and of Node-RED itself those with a file here. Add the files of those that
// you use: "function", say, is '@node-red/nodes/core/function/10-function.js'.
const nodes = [
  ...Object.values(require(`${PACKAGE}/package.json`)['node-red'].nodes).map((file) => path.join(home, file)),
  require.resolve('@node-red/nodes/core/common/25-catch.js'),
  require.resolve('@node-red/nodes/core/function/15-change.js'),
  require.resolve('@node-red/nodes/core/network/21-httpin.js'),
].map((file) => {
  const module = require(file);
  return module.default ?? module;
});

describe('people counter', () => {
  const picture = fs.readFileSync(path.join(home, 'models/demo/samples/two-people.png'));
  let server;

  /** Asks the flows; one that never answers fails here. */
  function ask(method, url, body) {
    return fetch(`http://127.0.0.1:${server.address().port}${url}`, {
      method,
      body,
      headers: body && { 'Content-Type': 'image/png' },
      signal: AbortSignal.timeout(60_000),
    });
  }

  before(async () => {
    helper.init(require.resolve('node-red'));
    // Node-RED gives its nodes the app that "http in" answers with; here it gets a server of its own.
    const registered = new Set();
    const serve = (RED) => {
      server = http.createServer(RED.httpNode);
      const { registerType } = RED.nodes;
      RED.nodes.registerType = (type, ...rest) => {
        registered.add(type);
        registerType(type, ...rest);
      };
    };
    await helper.load([serve, ...nodes], flows);
    // With a type that it does not know, Node-RED starts none of the flows.
    const builtIn = /^(tab|group|comment|junction|global-config|catch|status|complete|subflow(:.*)?)$/;
    const unknown = flows
      .map(({ type }) => type)
      .filter((type) => !builtIn.test(type) && !registered.has(type));
    assert.deepEqual([...new Set(unknown)], [], 'types in flows.json without a file in `nodes` above');
    await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  });
  after(async () => {
    server?.close();
    await helper.unload();
  });

  it('parses a picture', async () => {
    const response = await ask('POST', '/parse', picture);
    assert.equal(response.status, 200);
    assert.equal((await response.json()).persons.length, 2);
  });

  it('counts people', async () => {
    const response = await ask('POST', '/count', picture);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { people: 2 });
  });

  for (const url of ['/parse', '/count'])
    it(`answers what is no picture with an error at ${url}`, async () => {
      const response = await ask('POST', url, 'no picture');
      assert.equal(response.status, 415);
      assert.match((await response.json()).error, /picture/);
    });

  it('says that it is ready', async () => {
    const response = await ask('GET', '/ready');
    assert.equal(response.status, 200);
  });
});
