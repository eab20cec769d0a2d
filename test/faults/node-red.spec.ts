/** A real Node-RED with the packed package under load, and when it is told to stop in the middle of it. */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { type FlowNode, NodeRed } from '../support/node-red.ts';
import { twoPeople } from '../support/images.ts';
import { childrenOf, isAlive } from '../support/processes.ts';
import { nodeConfig, type NodeType } from '../nodes/support/flows.ts';
import { settled } from './support/fake-children.ts';

/** Pictures of 1080p, all of them at once. */
const IMAGES = 20;
/** Milliseconds for which Node-RED may do nothing else. */
const MAX_DELAY = 100;
/** How many Node-REDs may try to keep to that, each from the loading of the model on. */
const ROUNDS = 3;

/**
 * Measures in Node-RED's own process. Where other programs keep the processor busy, the event loop stands still
 * without our doing: `busy` is the longest time that the main thread calculated without looking up.
 */
const MEASURE = {
  initialize: `
    const delays = perf.monitorEventLoopDelay({ resolution: 5 });
    delays.enable();
    // Of the main thread alone where this Node.js knows it, else of all threads: too much, but never too little.
    const spent = () => {
      const { user, system } = proc.threadCpuUsage?.() ?? proc.cpuUsage();
      return (user + system) / 1000;
    };
    const state = { delays, busy: 0 };
    let before = spent();
    state.timer = setInterval(() => {
      const now = spent();
      state.busy = Math.max(state.busy, now - before);
      before = now;
    }, 1);
    context.set('state', state);`,
  func: `
    const { delays, busy } = context.get('state');
    msg.payload = { stood: delays.max / 1e6, busy };
    delays.reset();
    context.get('state').busy = 0;
    return msg;`,
  finalize: `clearInterval(context.get('state').timer);`,
  libs: [
    { var: 'perf', module: 'perf_hooks' },
    { var: 'proc', module: 'process' },
  ],
};

/** POST /crops: picture in, number of crops out. GET /delay: how long the event loop stood still since the last GET. */
function flows(): FlowNode[] {
  const tab = { z: 'tab', x: 0, y: 0 };
  const http = { ...tab, type: 'http in', name: '', upload: false, skipBodyParsing: false, swaggerDoc: '' };
  const script = (func: string) => ({
    ...tab,
    type: 'function',
    name: '',
    func,
    outputs: 1,
    noerr: 0,
    initialize: '',
    finalize: '',
    libs: [],
    wires: [['out']],
  });
  const ours = (type: NodeType, id: string, next: string, properties: object) => ({
    ...nodeConfig(type, id, { ...properties, wires: [[next]] }),
    ...tab,
  });
  return [
    { id: 'tab', type: 'tab', label: 'load', disabled: false, info: '' },
    nodeConfig('m2fp-model', 'model', { threads: 1, maxQueue: IMAGES }),
    { ...http, id: 'in', method: 'post', url: '/crops', wires: [['infer']] },
    ours('m2fp-infer', 'infer', 'paint', { model: 'model', limit: '' }),
    ours('m2fp-colorize', 'paint', 'cut', { format: 'jpeg' }),
    ours('m2fp-crop', 'cut', 'count', { output: 'array', format: 'jpeg' }),
    { ...script('msg.payload = msg.payload.length; return msg;'), id: 'count' },
    { ...tab, id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['why']] },
    { ...script('msg.payload = msg.error.message; return msg;'), id: 'why' },
    { ...http, id: 'delay', method: 'get', url: '/delay', wires: [['measure']] },
    { ...script(''), id: 'measure', ...MEASURE },
    { ...tab, id: 'out', type: 'http response', name: '', statusCode: '', headers: {}, wires: [] },
  ];
}

/** A picture of 1080p, another one for each number up to 25: equal ones would be parsed once. */
const image = (n: number): Promise<Buffer> =>
  sharp(twoPeople)
    .resize(1920, 1080, { fit: 'fill' })
    .jpeg({ quality: 70 + n })
    .toBuffer();

const post = (nodeRed: NodeRed, jpeg: Buffer): Promise<Response> =>
  nodeRed.post('/crops', { body: new Uint8Array(jpeg), headers: { 'content-type': 'image/jpeg' } });

describe('a real Node-RED', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;
  before(async () => {
    nodeRed = await NodeRed.start('node-red', flows());
  });
  after(() => nodeRed?.stop());

  const delay = async () =>
    (await (await fetch(`${nodeRed.url}/delay`)).json()) as { stood: number; busy: number };

  it(`goes on with everything else while it loads the model and parses, paints and cuts ${IMAGES} pictures of 1080p`, async () => {
    const images = await Promise.all(Array.from({ length: IMAGES }, (_, index) => image(index)));
    const told: string[] = [];
    // What we do to it is the same in every new Node-RED; a machine that others keep busy has its better moments.
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) {
        await nodeRed.stop();
        nodeRed = await NodeRed.start('node-red', flows());
      }
      await delay();
      const answers = await Promise.all(images.map((jpeg) => post(nodeRed, jpeg)));
      const { stood, busy } = await delay();
      for (const answer of answers) {
        const crops = await answer.text();
        assert.ok(answer.status === 200 && Number(crops) > 0, crops);
      }
      if (Math.min(stood, busy) < MAX_DELAY) return;
      told.push(`${stood.toFixed(0)} ms, calculating for ${busy.toFixed(0)} ms`);
    }
    assert.fail(`the event loop stood still for ${told.join('; ')}`);
  });

  it('ends in order when it is told to in the middle of a run: no zombie, no orphan, no abort', async () => {
    assert.equal((await post(nodeRed, await image(0))).status, 200);
    const [engine] = childrenOf(nodeRed.child.pid!);
    assert.ok(engine !== undefined);
    const statuses = await nodeRed.statuses();
    const running = statuses.next('infer', ({ fill }) => fill === 'blue');
    // Small pictures would be over before the status is told.
    process.kill(engine, 'SIGSTOP');
    const answers = Promise.allSettled([1, 2, 3, 4, 5].map(async (n) => post(nodeRed, await image(n))));
    await running;
    process.kill(engine, 'SIGCONT');
    statuses.close();
    assert.equal(await nodeRed.stop(), 0, nodeRed.log);
    assert.doesNotMatch(nodeRed.log, /timed out|Uncaught|terminate called/);
    await settled(() => !isAlive(engine));
    // Whoever was not answered had the connection closed, and does not wait for ever.
    await answers;
  });
});
