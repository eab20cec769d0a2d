// The flows as they will run, with Node-RED's test helper: what a request brings goes in, what would be answered comes out.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const helper = require('node-red-node-test-helper');

const PACKAGE = '@m2fp/node-red-human-parsing';
const home = dirname(require.resolve(`${PACKAGE}/package.json`));

// The types that the flows use: all of the package, and of Node-RED itself those with a file here.
const nodes = [
  ...Object.values(require(`${PACKAGE}/package.json`)['node-red'].nodes).map((file) => join(home, file)),
  require.resolve('@node-red/nodes/core/common/25-catch.js'),
  require.resolve('@node-red/nodes/core/function/15-change.js'),
].map((file) => {
  const module = require(file);
  return module.default ?? module;
});

// Test nodes stand in for those that need a server; everything between them is what runs in production.
const flows = JSON.parse(readFileSync(join(__dirname, '..', 'flows.json'), 'utf8')).map((node) =>
  ['http in', 'http response'].includes(node.type) ? { ...node, type: 'helper' } : node,
);

/** Lets a message go out of one node, and gives what arrives at another. */
async function send(from, message, to) {
  const arrived = once(helper.getNode(to), 'input');
  helper.getNode(from).send(message);
  return (await arrived)[0];
}

describe('people counter', () => {
  const picture = readFileSync(join(home, 'models/demo/samples/two-people.png'));

  before(async () => {
    helper.init(require.resolve('node-red'));
    await helper.load(nodes, flows);
  });
  after(() => helper.unload());

  it('parses a picture', async () => {
    const { payload } = await send('parse-in', { payload: picture }, 'parse-out');
    assert.equal(payload.persons.length, 2);
  });

  it('counts people', async () => {
    const { payload } = await send('count-in', { payload: picture }, 'count-out');
    assert.deepEqual(payload, { people: 2 });
  });

  it('answers what is no picture with an error', async () => {
    const { statusCode, payload } = await send(
      'count-in',
      { payload: Buffer.from('no picture') },
      'error-out',
    );
    assert.equal(statusCode, 415);
    assert.match(payload.error, /picture/);
  });

  it('says that it is ready', async () => {
    const { statusCode } = await send('ready-in', {}, 'ready-out');
    assert.equal(statusCode, 200);
  });
});
