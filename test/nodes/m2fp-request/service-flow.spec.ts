/** http in, parsing request, infer, parsing response, http response, and a Catch node: no function node. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import sharp from 'sharp';
import { systemClock } from '../../../src/clock.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { Problem } from '../../../src/service/problem.ts';
import { FakeClock } from '../../engine/support/fakes.ts';
import { type FakeEngine, fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { coreNode, type Events, type NodeConfig, redApi, send, startFlow, stopFlow } from '../support/red.ts';

describe('a service of parsing request and parsing response', () => {
  let engine: FakeEngine;
  let events: Events;
  let server: http.Server;
  let url: string;
  let image: Buffer<ArrayBuffer>;

  /** @param caught whether the flow has a Catch node that answers */
  async function start(
    request: object = {},
    {
      keys,
      caught = true,
      input = {},
      infer = {},
    }: { keys?: string; caught?: boolean; input?: object; infer?: object } = {},
  ): Promise<void> {
    ({ engine } = fakeEngines());
    image = Buffer.from(
      await sharp({ create: { width: 8, height: 4, channels: 3, background: 'red' } })
        .png()
        .toBuffer(),
    );
    const flow: NodeConfig[] = [
      {
        id: 'in',
        type: 'http in',
        name: '',
        method: 'post',
        url: '/parse/:camera',
        upload: true,
        wires: [['node']],
        ...input,
      },
      nodeConfig('m2fp-model', 'model'),
      { id: 'change', type: 'change', rules: [], wires: [['infer']] },
      nodeConfig('m2fp-request', 'node', { wires: [['infer']], ...request }),
      nodeConfig('m2fp-infer', 'infer', { model: 'model', wires: [['answer'], []], ...infer }),
      nodeConfig('m2fp-response', 'answer', { wires: [['response', 'out']] }),
      {
        id: 'catcher',
        type: 'catch',
        scope: null,
        uncaught: false,
        wires: [caught ? ['answer', 'caught'] : ['caught']],
      },
      { id: 'response', type: 'http response', name: '', statusCode: '', headers: {}, wires: [] },
    ];
    events = await startFlow(
      flow,
      [coreNode('network/21-httpin'), coreNode('function/15-change')],
      keys === undefined ? {} : { node: { keys } },
    );
    server = http.createServer(redApi().httpNode as unknown as http.RequestListener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  afterEach(async () => {
    engine.letGo();
    server.closeAllConnections();
    server.close();
    await stopFlow();
    restoreEngines();
  });

  const post = (query = '', init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}/parse/door${query}`, { method: 'POST', body: image, ...init });
  const problem = async (response: Response): Promise<Problem> => {
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    const told = (await response.json()) as Problem;
    assert.equal(told.status, response.status);
    assert.doesNotMatch(told.detail, /\bmsg\.|\bnodes?\b|undefined/);
    return told;
  };

  it('hands the picture and the options on, and answers in the format that was asked for', async () => {
    await start();
    const response = await post('?scoreThreshold=0.7&flip&format=webp&view=map');
    assert.equal(response.status, 200);
    assert.equal((await sharp(await response.arrayBuffer()).metadata()).format, 'webp');
    const [{ image: picture, options }] = engine.requests as [FakeEngine['requests'][number]];
    assert.ok(image.equals(picture as Buffer));
    assert.deepEqual([options!.scoreThreshold, options!.flip], [0.7, true]);
    const { persons } = (await (await post('', { headers: { accept: 'application/json' } })).json()) as {
      persons: unknown[];
    };
    assert.equal(persons.length, 2);
  });

  const ways: [what: string, init: () => RequestInit, input?: object][] = [
    ['an upload where http in takes none', () => ({ body: upload() }), { upload: false }],
    [
      'a body that curl calls a form',
      () => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ],
    ['a body that Node-RED has read as it is', () => ({ body: upload() }), { skipBodyParsing: true }],
    ['JSON', () => ({ body: JSON.stringify({ image: image.toString('base64'), flip: true }) })],
  ];
  const upload = (): FormData => {
    const form = new FormData();
    form.append('flip', 'true');
    form.append('image', new Blob([image]), 'a.png');
    return form;
  };
  for (const [what, init, input] of ways) {
    it(`takes ${what}`, async () => {
      await start({}, input === undefined ? {} : { input });
      const response = await post('', init());
      assert.equal(response.status, 200, await response.text());
      assert.ok(image.equals(engine.requests[0]!.image as Buffer));
    });
  }

  const refused: [
    what: string,
    query: string,
    init: () => RequestInit,
    status: number,
    code: string,
    words: RegExp,
  ][] = [
    ['nothing', '', () => ({ body: '' }), 400, 'M2FP_NO_IMAGE', /holds no picture/],
    ['a text', '', () => ({ body: 'a text' }), 415, 'M2FP_UNSUPPORTED_FORMAT', /text/],
    ['an address', '', () => ({ body: '{"image":"http://127.0.0.1/"}' }), 400, 'M2FP_NO_IMAGE', /fetches no/],
    ['an unknown option', '?bla=1', () => ({}), 400, 'M2FP_BAD_OPTION', /"bla"/],
    ['an option that is not for clients', '?priority=9', () => ({}), 400, 'M2FP_BAD_OPTION', /"priority"/],
    [
      'a wrong format',
      '',
      () => ({ headers: { accept: 'text/html' } }),
      406,
      'M2FP_NOT_ACCEPTABLE',
      /image\/png/,
    ],
    [
      'nothing to cut out',
      '?format=png&view=crop&persons=2&labels=Background',
      () => ({}),
      404,
      'M2FP_NOTHING_FOUND',
      /no Background of the persons 2/,
    ],
    ['somebody else', '?persons=9', () => ({}), 400, 'M2FP_BAD_OPTION', /"persons" is 9; allowed: 1, 2/],
    ['other labels', '?labels=Nose', () => ({}), 400, 'M2FP_BAD_OPTION', /"labels" is "Nose".*Hair, Coat/],
    [
      'a large body',
      '',
      () => ({ body: new Uint8Array(1_100_000) }),
      413,
      'M2FP_IMAGE_TOO_LARGE',
      /larger than 1 MB/,
    ],
  ];
  for (const [what, query, init, status, code, words] of refused) {
    it(`refuses ${what}: ${status}`, async () => {
      await start({ maxBody: 1 });
      const told = await problem(await post(query, init()));
      assert.deepEqual([told.status, told.code], [status, code], told.detail);
      assert.match(told.detail, words);
    });
  }

  it('wants a key where there are some, and reads no body without', async () => {
    await start({}, { keys: 'one two' });
    const none = await post();
    assert.equal(none.headers.get('www-authenticate'), 'Bearer realm="m2fp"');
    assert.equal((await problem(none)).code, 'M2FP_UNAUTHORIZED');
    const wrong = await post('', { headers: { 'x-api-key': 'three' } });
    assert.equal((await problem(wrong)).status, 401);
    for (const headers of [{ 'x-api-key': 'one' }, { authorization: 'Bearer two' }] as Record<
      string,
      string
    >[])
      assert.equal((await post('', { headers })).status, 200);
    assert.equal(engine.requests.length, 2);
  });

  it('lets nobody in where the key is of a variable that is not set', async () => {
    await start({}, { keys: '${M2FP_TEST_NONE}' });
    for (const headers of [{}, { 'x-api-key': '${M2FP_TEST_NONE}' }] as Record<string, string>[])
      assert.ok((await post('', { headers })).status >= 400);
    assert.equal(engine.requests.length, 0);
  });

  it('bounds what a client sends in a minute, by its key', async () => {
    await start({ perMinute: 2 }, { keys: 'one two' });
    const as = (key: string): Promise<Response> => post('', { headers: { 'x-api-key': key } });
    assert.deepEqual([(await as('one')).status, (await as('one')).status], [200, 200]);
    const third = await as('one');
    assert.ok(Number(third.headers.get('retry-after')) > 20);
    const told = await problem(third);
    assert.deepEqual([told.code, told.retryAfter], ['M2FP_BUSY', Number(third.headers.get('retry-after'))]);
    assert.equal((await as('two')).status, 200);
  });

  it('bounds what a client has at a time, until it has its answer', async () => {
    await start({ concurrent: 1 });
    engine.held = true;
    const first = post();
    await engine.requested();
    assert.equal((await problem(await post())).status, 429);
    engine.letGo();
    engine.held = false;
    assert.equal((await first).status, 200);
    await (await first).arrayBuffer();
    assert.equal((await post()).status, 200);
  });

  it('answers errors of infer, with the time after which to try again', async () => {
    await start();
    engine.failure = new M2fpError('M2FP_BUSY', 'The queue of the node /srv/x is full.');
    const response = await post();
    assert.match(response.headers.get('retry-after') ?? '', /^\d+$/);
    const told = await problem(response);
    assert.deepEqual([told.status, told.code], [429, 'M2FP_BUSY']);
    engine.failure = new TypeError('x of undefined');
    assert.deepEqual((await problem(await post())).code, 'INTERNAL');
  });

  const tooHigh = { scoreThreshold: 7 };
  const wrongForms: [what: string, request: object, infer: object, words: RegExp][] = [
    ['no option that a client may set', { allowed: 'flop' }, {}, /"allowed" names "flop"/],
    ['a word for a number', { maxBody: 'much' }, {}, /"maxBody" is "much"/],
    ['a number that is too large', { maxBody: 4096 }, {}, /"maxBody" is 4096/],
    ['no minimum score', {}, { scoreThreshold: 'much' }, /"scoreThreshold" is "much"/],
    ['a minimum score that is too high', {}, tooHigh, /"scoreThreshold" is 7/],
    ['a place where no result can lie', {}, { result: '_msgid.a' }, /cannot be put into msg._msgid.a/],
  ];
  for (const [what, request, infer, words] of wrongForms) {
    it(`is at fault where a form has ${what}: the owner is told what is wrong`, async () => {
      await start({ allowed: 'flip', ...request }, { infer });
      if (infer === tooHigh)
        engine.failure = new M2fpError(
          'M2FP_BAD_OPTION',
          'Option "scoreThreshold" is 7; allowed: a number from 0.1 to 1.',
        );
      const told = await problem(await post('?flip'));
      assert.deepEqual([told.status, told.code], [500, 'INTERNAL'], told.detail);
      assert.doesNotMatch(told.detail, words);
      await events.until(() => events.caught.length > 0);
      assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
      assert.match(events.caught[0]!.error.message, words);
    });
  }

  it('looks before the model runs whether an answer can be given, where a parsing response gives it', async () => {
    await start();
    const headers = { accept: 'text/html' };
    assert.equal((await problem(await post('', { headers }))).code, 'M2FP_NOT_ACCEPTABLE');
    assert.equal(engine.requests.length, 0);
    assert.equal((await post('?format=png', { headers })).status, 200);
  });

  it('leaves it to the flow what is answered where something else may do so', async () => {
    await start({ wires: [['change']] });
    assert.equal((await problem(await post('', { headers: { accept: 'text/html' } }))).status, 406);
    assert.equal(engine.requests.length, 1);
  });

  it('answers by itself where no Catch node does', async () => {
    await start({}, { caught: false });
    assert.equal((await problem(await post('?bla=1'))).code, 'M2FP_BAD_OPTION');
  });

  it('gives up for a client that has gone, and answers nobody', async () => {
    await start();
    engine.held = true;
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const head = `POST /parse/door HTTP/1.1\r\nHost: a\r\nContent-Length: ${image.length}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), image]));
    await engine.requested();
    socket.destroy();
    await events.until(() => events.caught.length > 0);
    assert.deepEqual(
      events.caught.map(({ error }) => error.code),
      ['M2FP_CANCELLED'],
    );
    assert.equal(events.sent.length, 0);
  });

  it('ends with a client that goes while it sends', async () => {
    await start();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /parse/door HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await once(server, 'request');
    setImmediate(() => socket.destroy());
    await events.until(() => events.caught.length > 0);
    assert.equal(events.caught[0]!.error.code, 'M2FP_CANCELLED');
  });

  const stalled: [what: string, head: string, body: string, caught?: boolean][] = [
    ['a picture', 'Content-Length: 1000\r\nContent-Type: image/png', '\x89PNG'],
    ['a picture in chunks', 'Transfer-Encoding: chunked', '4\r\n\x89PNG\r\n'],
    [
      'an upload',
      'Content-Length: 1000\r\nContent-Type: multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nabc',
    ],
    ['JSON', 'Content-Length: 1000\r\nContent-Type: application/json', '{"image":"iVBO'],
    ['a form', 'Content-Length: 1000\r\nContent-Type: application/x-www-form-urlencoded', 'image=iVBO'],
    ['a text of which nothing comes', 'Content-Length: 1000\r\nContent-Type: text/plain', ''],
    ['a picture, where no Catch node answers', 'Content-Length: 1000', '\x89PNG', false],
  ];
  for (const [what, head, body, caught = true] of stalled) {
    it(`gives a client up that stops in the middle of ${what}`, async () => {
      await start({ concurrent: 1 }, { caught });
      const clock = new FakeClock();
      const real = { ...systemClock };
      Object.assign(systemClock, { now: () => clock.now(), after: clock.after.bind(clock) });
      try {
        const socket = connect(Number(new URL(url).port), '127.0.0.1');
        socket.write(Buffer.from(`POST /parse/door HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n${body}`, 'latin1'));
        // Until the rest is thrown away, for which there are five seconds.
        while (!clock.pending().includes(5000)) {
          clock.advance(10_000);
          await nextTurn();
          await nextTurn();
        }
        const answer = await text(socket);
        assert.match(answer, /^HTTP\/1\.1 408 .*\r\nconnection: close\r\n.*"code":"M2FP_BODY_TIMEOUT"/is);
        assert.match(
          answer,
          /"detail":"The body of the request came too slowly: nothing more of it for 10 seconds\./,
        );
        // The only place is free again.
        assert.equal((await post()).status, 200);
      } finally {
        Object.assign(systemClock, real);
      }
    });
  }

  it('takes the picture of an inject node, but no request that was lost', async () => {
    await start({}, { keys: 'one' });
    send({ payload: image });
    await events.until(() => engine.requests.length > 0);
    send({ payload: image, res: {} });
    await events.until(() => events.caught.length > 0);
    assert.equal(events.caught.at(-1)!.error.code, 'M2FP_UNAUTHORIZED');
  });
});
