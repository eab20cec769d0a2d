/** What the owner of a service has set wrong: no fault of a client, whom it tells nothing of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import type { Problem } from '../../../src/service/problem.ts';
import { fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig, type NodeType } from '../support/flows.ts';
import {
  coreNode,
  type Events,
  type NodeConfig,
  nodeOf,
  redApi,
  startFlow,
  stopFlow,
} from '../support/red.ts';

describe('a service whose owner has set something wrong', () => {
  let events: Events;
  let server: http.Server | undefined;
  let url: string;
  let image: Uint8Array<ArrayBuffer>;
  const warnings: string[] = [];
  const spied = new Set<object>();

  before(async () => {
    const picture = sharp({ create: { width: 8, height: 4, channels: 3, background: 'red' } });
    image = new Uint8Array(await picture.png().toBuffer());
  });

  /** @param between the node behind infer @param keys of the parsing request node */
  async function start(
    between: [NodeType, Record<string, unknown>] = ['m2fp-colorize', {}],
    keys?: string,
  ): Promise<void> {
    fakeEngines();
    const flow: NodeConfig[] = [
      { id: 'in', type: 'http in', name: '', method: 'post', url: '/parse', wires: [['node']] },
      nodeConfig('m2fp-model', 'model'),
      nodeConfig('m2fp-request', 'node', { wires: [['infer']], allowed: 'scoreThreshold, colorize' }),
      nodeConfig('m2fp-infer', 'infer', { model: 'model', wires: [['between'], []] }),
      nodeConfig(between[0], 'between', { wires: [['response']], ...between[1] }),
      nodeConfig('m2fp-response', 'answer', { wires: [['response']] }),
      { id: 'catcher', type: 'catch', scope: null, uncaught: false, wires: [['answer', 'caught']] },
      { id: 'response', type: 'http response', name: '', statusCode: '', headers: {}, wires: [] },
    ];
    events = await startFlow(
      flow,
      [coreNode('network/21-httpin')],
      keys === undefined ? {} : { node: { keys } },
    );
    server = http.createServer(redApi().httpNode as unknown as http.RequestListener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/parse`;
    const node = nodeOf('node');
    node.warn = (text: unknown) => void warnings.push(String(text));
    spied.add(node);
  }
  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
    await stopFlow();
    restoreEngines();
    warnings.length = 0;
    for (const name of Object.keys(process.env)) if (name.startsWith('M2FP_TEST_')) delete process.env[name];
  });

  const post = (query = '', headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url + query, { method: 'POST', body: image, headers });
  const problem = async (response: Response): Promise<Problem> => {
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    return (await response.json()) as Problem;
  };

  const WRONG: [NodeType, Record<string, unknown>, name: string][] = [
    ['m2fp-colorize', { labels: 'Nose' }, 'labels'],
    ['m2fp-colorize', { labels: 'Hair,${M2FP_TEST_LABEL}' }, 'labels'],
    ['m2fp-colorize', { colors: '{"Nose": "#ff0000"}' }, 'colors'],
    ['m2fp-colorize', { opacity: 3 }, 'opacity'],
    ['m2fp-crop', { labels: 'Nose' }, 'labels'],
    ['m2fp-crop', { what: 'groups', groups: 'a=Nose' }, 'groups'],
    ['m2fp-redact', { labels: 'Nose' }, 'labels'],
  ];
  for (const [type, properties, name] of WRONG) {
    it(`is at fault for ${JSON.stringify(properties)} of ${type}, whatever the client asks for`, async () => {
      await start([type, properties]);
      for (const query of ['', `?labels=Hair&padding=3&opacity=0.3&scoreThreshold=0.5`]) {
        const { status, code, detail } = await problem(await post(query));
        assert.deepEqual([status, code], [500, 'INTERNAL'], detail);
        assert.doesNotMatch(detail, /Nose|"/);
        const { error } = events.caught.at(-1)!;
        assert.equal(error.code, 'M2FP_BAD_OPTION');
        assert.match(error.message, new RegExp(`"${name}"`));
      }
    });
  }

  it('is not at fault where the client has set the same option of the same node', async () => {
    await start(['m2fp-colorize', { labels: 'Nose' }]);
    assert.equal((await post('?colorize.labels=Hair')).status, 200);
    const told = await problem(await post('?colorize.labels=Ear'));
    assert.deepEqual([told.status, told.code], [400, 'M2FP_BAD_OPTION']);
    assert.match(told.detail, /"labels" is "Ear"; allowed: .*Hair/);
  });
});
