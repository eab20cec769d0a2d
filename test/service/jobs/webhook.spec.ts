/** Webhooks: whom they may call, and what a receiver gets. */
import assert from 'node:assert/strict';
import type { lookup } from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { SpoolStore } from '../../../src/service/jobs/spool/spool-store.ts';
import { WebhookSender, type SenderOptions } from '../../../src/service/jobs/webhook/sender.ts';
import { readSecret, signedHeaders } from '../../../src/service/jobs/webhook/sign.ts';
import { checkWebhook, isAllowedAddress, readTargets } from '../../../src/service/jobs/webhook/targets.ts';
import { claimed, jobOf, LIMITS, resultOf } from './support/store-contract.ts';

const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;

describe('the addresses of webhooks', () => {
  const allowed =
    'example.com, hooks.example.com:8443 http://plain.example.com\n[2606:4700::1111] 10.1.2.3 inner.example.com';
  for (const [given, taken = given] of [
    ['https://example.com/'],
    ['https://example.com:443/a?b=c', 'https://example.com/a?b=c'],
    ['https://EXAMPLE.com/x#y', 'https://example.com/x'],
    ['https://hooks.example.com:8443/'],
    ['http://plain.example.com/x'],
    ['https://[2606:4700::1111]/'],
    ['https://10.1.2.3/'],
    ['https://0x0a010203/', 'https://10.1.2.3/'],
  ] as const) {
    it(`may be ${given}`, () => assert.equal(checkWebhook(given, readTargets(allowed)), taken));
  }

  for (const given of [
    'http://example.com/',
    'https://example.com:8443/',
    'https://hooks.example.com/',
    'https://a.example.com/',
    'https://example.com.evil.org/',
    'https://example.com@evil.org/',
    'https://user:password@example.com/',
    'https://evil.org/?https://example.com/',
    'https://plain.example.com/',
    'https://127.0.0.1/',
    'https://10.1.2.4/',
    'https://[::ffff:10.1.2.3]/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'example.com',
    '',
    `https://example.com/${'x'.repeat(3000)}`,
    7,
    ['https://example.com/'],
    null,
  ]) {
    it(`may not be ${JSON.stringify(given)?.slice(0, 60)}`, () => {
      assert.throws(() => checkWebhook(given, readTargets(allowed)), {
        code: 'M2FP_BAD_OPTION',
        statusCode: 400,
      });
    });
  }

  it('are none at all where the list is empty', () => {
    assert.throws(() => checkWebhook('https://example.com/', readTargets(' ')), /allows no hosts/);
  });

  for (const entry of [
    '*.example.com',
    'https://example.com/path',
    'ftp://x',
    'a b@c',
    '10.0.0.0/33',
    '1.2.3/8',
    'http://',
  ]) {
    it(`have no list with ${entry}`, () => {
      assert.throws(() => readTargets(entry), { code: 'M2FP_BAD_OPTION', message: /webhookHosts/ });
    });
  }

  const PRIVATE =
    '0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.168.1.1 198.18.0.1 224.0.0.1 ' +
    '255.255.255.255 ::1 :: fc00::1 fe80::1 ff02::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 2002:7f00:1:: ' +
    '2001:db8::1 no-address';
  for (const address of PRIVATE.split(' ')) {
    it(`do not lead to ${address}`, () =>
      assert.equal(isAllowedAddress(address, readTargets('x.org').networks), false));
  }
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111']) {
    it(`lead to ${address}`, () =>
      assert.equal(isAllowedAddress(address, readTargets('x.org').networks), true));
  }
  it('lead into a private network that the list names', () => {
    const { networks } = readTargets('erp.internal, 10.1.0.0/16, localhost');
    for (const address of ['10.1.255.1', '127.0.0.1', '::1']) assert.ok(isAllowedAddress(address, networks));
    for (const address of ['10.2.0.1', '192.168.0.1']) assert.ok(!isAllowedAddress(address, networks));
  });
});

describe('the secret of webhooks', () => {
  it('signs as the specification has it', () => {
    const body = '{"test": 2432232314}';
    const headers = signedHeaders(readSecret(SECRET), 'msg_1', Date.now(), body);
    assert.deepEqual(new Webhook(SECRET).verify(body, headers), JSON.parse(body));
    assert.throws(() => new Webhook(SECRET).verify(`${body} `, headers));
    // The example of the specification's own libraries.
    assert.equal(
      signedHeaders(
        readSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'),
        'msg_p5jXN8AQM9LWM0D4loKWxJek',
        1_614_265_330_000,
        body,
      )['webhook-signature'],
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  for (const text of [
    '',
    'secret',
    'whsec_',
    'whsec_c2hvcnQ=',
    `whsec_${Buffer.alloc(65).toString('base64')}`,
  ]) {
    it(`is not "${text.slice(0, 20)}"`, () => {
      assert.throws(
        () => readSecret(text),
        ({ code, message }) => code === 'M2FP_BAD_OPTION' && (text === '' || !message.includes(`"${text}"`)),
      );
    });
  }
});

describe('webhooks of jobs', () => {
  interface Call {
    headers: IncomingHttpHeaders;
    body: string;
    path: string;
  }
  let folder: string;
  let store: SpoolStore;
  let server: Server;
  let port: number;
  let calls: Call[];
  /** What the receiver answers, the last one again and again. */
  let answers: ((response: ServerResponse) => void)[];
  let senders: WebhookSender[];
  let errors: string[];

  const answer =
    (status: number, headers = {}) =>
    (response: ServerResponse) => {
      response.writeHead(status, headers).end('x');
    };
  const called = async (count: number): Promise<void> => {
    while (calls.length < count) await once(server, 'called');
  };
  const listen = async (): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  };
  const send = (more: Partial<SenderOptions> = {}): WebhookSender => {
    const sender = new WebhookSender({
      store,
      targets: readTargets(`http://127.0.0.1:${port}`),
      key: readSecret(SECRET),
      pauses: [20, 20, 20],
      timeout: 2000,
      onError: (error) => {
        errors.push(String(error));
        server.emit('gave up');
      },
      ...more,
    });
    senders.push(sender);
    sender.start();
    return sender;
  };
  const end = async (webhook = `http://127.0.0.1:${port}/hook?x=1`): Promise<string> => {
    const { id } = await store.add(jobOf('one', { webhook }));
    await claimed(store);
    await store.end(id, resultOf('what came of it'));
    return id;
  };
  const gaveUp = async (): Promise<void> => {
    while (errors.length === 0) await once(server, 'gave up');
  };
  /** The calls have come to their end, in this process and for any other. */
  const nothingIsDue = async (): Promise<void> => {
    for (;;) {
      const hooks = readdirSync(join(folder, 'hooks')).map((name) =>
        readFileSync(join(folder, 'hooks', name), 'utf8'),
      );
      if (hooks.length > 0 && hooks.every((text) => text.includes('"isOver":true'))) break;
      await pause(20);
    }
    await Promise.all(senders.map((sender) => sender.stop()));
    assert.equal(await store.delivery(), undefined);
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'm2fp-hooks-'));
    store = await SpoolStore.open(folder, LIMITS);
    [calls, answers, senders, errors, port] = [[], [answer(204)], [], [], 0];
    server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        calls.push({
          headers: request.headers,
          body: String(Buffer.concat(pieces)),
          path: request.url ?? '',
        });
        (answers.length > 1 ? answers.shift()! : answers[0]!)(response);
        server.emit('called');
      });
    });
    await listen();
  });
  afterEach(async () => {
    await Promise.all(senders.map((sender) => sender.stop()));
    await store.close();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  it('tell once what became of a job, signed', async () => {
    send();
    const id = await end();
    await called(1);
    const [{ headers, body, path } = assert.fail()] = calls;
    assert.equal(path, '/hook?x=1');
    assert.equal(headers['webhook-id'], `job_${id}`);
    assert.equal(headers['content-type'], 'application/json');
    const event = new Webhook(SECRET).verify(body, headers as Record<string, string>) as {
      type: string;
      timestamp: string;
      data: Record<string, unknown>;
    };
    const job = (await store.get(id))!;
    assert.equal(event.type, 'job.done');
    assert.equal(Date.parse(event.timestamp), job.ended);
    assert.deepEqual(
      [event.data['id'], event.data['state'], event.data['result'], event.data['error']],
      [id, 'done', { type: 'text/plain', bytes: 15 }, null],
    );
    await nothingIsDue();
    assert.deepEqual([calls.length, errors], [1, []]);
  });

  it('try again with the same id while the answer is no good one', async () => {
    answers = [answer(500), answer(429), answer(200)];
    send();
    await end();
    await called(3);
    assert.equal(new Set(calls.map(({ headers }) => headers['webhook-id'])).size, 1);
    for (const { body, headers } of calls)
      new Webhook(SECRET).verify(body, headers as Record<string, string>);
    await nothingIsDue();
    assert.deepEqual(errors, []);
  });

  it('are sent when the receiver is up again, also by the next process', async () => {
    server.close();
    await once(server, 'close');
    const first = send({ pauses: [60, 60, 60] });
    const id = await end();
    while (readdirSync(join(folder, 'hooks')).length === 0) await pause(10);
    await first.stop();
    await listen();
    const after = await SpoolStore.open(folder, LIMITS);
    send({ store: after });
    await called(1);
    assert.equal(calls[0]?.headers['webhook-id'], `job_${id}`);
    await after.close();
  });

  it('are given up after some tries, which is told', async () => {
    answers = [answer(500)];
    send();
    const id = await end();
    await gaveUp();
    assert.equal(calls.length, 4);
    assert.match(
      errors[0]!,
      new RegExp(`127\\.0\\.0\\.1:${port} was not told of job ${id}.*the answer was 500`),
    );
    assert.ok(!errors[0]!.includes('x=1'));
    await nothingIsDue();
  });

  it('are sent no more where the receiver says that it is gone', async () => {
    answers = [answer(410)];
    send();
    await end();
    await called(1);
    await nothingIsDue();
    assert.deepEqual([calls.length, errors], [1, []]);
  });

  it('do not follow redirects', async () => {
    answers = [answer(302, { location: '/elsewhere' })];
    send();
    await end();
    await gaveUp();
    assert.ok(calls.every(({ path }) => path === '/hook?x=1'));
  });

  it('wait no longer for an answer than they may', async () => {
    answers = [() => {}, answer(200)];
    send({ timeout: 100 });
    await end();
    await called(2);
    await nothingIsDue();
  });

  it('are not sent to hosts that are no longer allowed', async () => {
    send({ targets: readTargets('example.com'), pauses: [] });
    await end();
    await gaveUp();
    assert.equal(calls.length, 0);
    assert.match(errors[0]!, /not allowed/);
  });

  it('are not sent to a name that leads into a private network, unless the network is named', async () => {
    const resolve = ((_name: string, _options: unknown, callback: (error: null, found: object[]) => void) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as typeof lookup;
    const hosts = `http://hooks.example.com:${port}`;
    const first = send({ targets: readTargets(hosts), resolve, pauses: [] });
    await end(`${hosts}/`);
    await gaveUp();
    assert.equal(calls.length, 0);
    assert.match(errors[0]!, /only private addresses/);
    await first.stop();
    send({ targets: readTargets(`${hosts} 127.0.0.0/8`), resolve });
    await end(`${hosts}/`);
    await called(1);
    assert.equal(calls[0]?.headers.host, `hooks.example.com:${port}`);
  });
});
