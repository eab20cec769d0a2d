/** What the owner of a service has set wrong: no fault of a client, whom it tells nothing of it. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import type { Problem } from '../../../src/service/problem.ts';
import { fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig, type NodeType } from '../support/flows.ts';
import { coreNode, type Events, type NodeConfig, redApi, startFlow, stopFlow } from '../support/red.ts';

/** Node-RED's own. */
const logOf = () =>
  (
    createRequire(createRequire(import.meta.url).resolve(process.env['NR'] ?? 'node-red'))(
      '@node-red/util',
    ) as { log: { addHandler(handler: EventEmitter): void; removeHandler(handler: EventEmitter): void } }
  ).log;

describe('a service whose owner has set something wrong', () => {
  let events: Events;
  let server: http.Server | undefined;
  let url: string;
  let image: Uint8Array<ArrayBuffer>;
  /** What the log says of the parsing request node. */
  const logged: string[] = [];
  const handler = new EventEmitter().on('log', ({ id, msg }: { id?: string; msg: unknown }) => {
    if (id === 'node') logged.push(String(msg));
  });

  before(async () => {
    logOf().addHandler(handler);
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
  }
  after(() => logOf().removeHandler(handler));
  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
    await stopFlow();
    restoreEngines();
    logged.length = 0;
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

  const status = async (key?: string): Promise<number> =>
    (await post('', key === undefined ? {} : { 'x-api-key': key })).status;

  it('takes the keys that are there where another one is of a variable that is not set, and says so', async () => {
    process.env['M2FP_TEST_KEYS'] = 'two, three';
    await start(undefined, 'one ${M2FP_TEST_NONE},$(M2FP_TEST_OLD) ${M2FP_TEST_KEYS}');
    for (const key of ['one', 'two', 'three']) assert.equal(await status(key), 200, key);
    for (const key of [undefined, '${M2FP_TEST_NONE}', '$(M2FP_TEST_OLD)', '${M2FP_TEST_KEYS}', 'undefined'])
      assert.equal(await status(key), 401, key);
    assert.equal(logged.length, 2, logged.join('\n'));
    assert.match(logged[0]!, /no environment variable M2FP_TEST_NONE, which the API keys name/);
    assert.match(logged[1]!, /no environment variable M2FP_TEST_OLD/);
    assert.deepEqual(
      events.statuses.filter(({ fill }) => fill === 'yellow'),
      [{ fill: 'yellow', shape: 'dot', text: 'API keys missing' }],
    );
  });

  for (const [what, keys, set] of [
    ['that is not set', '${M2FP_TEST_NONE}', undefined],
    ['of the older form that is not set', '$(M2FP_TEST_NONE)', undefined],
    ['that is blank', '${M2FP_TEST_NONE}', ' , '],
    ['that is blank, beside one that is not set', '${M2FP_TEST_NONE} ${M2FP_TEST_OTHER}', ' '],
    ['that names another one', '${M2FP_TEST_NONE}', '${M2FP_TEST_OTHER}'],
  ] as const) {
    it(`lets nobody in where the only key is of a variable ${what}`, async () => {
      if (set !== undefined) process.env['M2FP_TEST_NONE'] = set;
      await start(undefined, keys);
      for (const key of [undefined, keys, set || '-', '', 'undefined']) {
        const { status: told, detail } = await problem(
          await post('', key === undefined ? {} : { 'x-api-key': key }),
        );
        assert.equal(told, 500);
        assert.doesNotMatch(detail, /variable|M2FP/);
      }
      assert.match(logged.join('\n'), /M2FP_TEST_.*nobody is let in|nobody is let in.*M2FP_TEST_/s);
      assert.ok(events.statuses.some(({ fill }) => fill === 'red'));
    });
  }
});
