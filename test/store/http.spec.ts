import assert from 'node:assert/strict';
import { createServer, request as forward, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { convertCheckpoint as convertDirectly } from '../../src/store/convert.ts';
import { get, redirectTarget, shownUrl } from '../../src/store/http.ts';
import { STALL_TIME } from './support/clock.ts';
import { bench } from './support/pulling.ts';

describe('a request through a proxy', () => {
  const t = bench();
  let proxy: Server;
  let seen: string[] = [];
  let credentials: string | undefined;
  /** Where a tunnel leads; null where the proxy opens none. */
  let tunnel: number | null = null;
  const address = () => `127.0.0.1:${(proxy.address() as AddressInfo).port}`;

  beforeEach(async () => {
    seen = [];
    credentials = undefined;
    tunnel = null;
    proxy = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      credentials = request.headers['proxy-authorization'];
      const onward = forward(request.url ?? '', { headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy()).end();
    });
    proxy.on('connect', (request, socket) => {
      seen.push(`${request.method} ${request.url}`);
      if (tunnel === null) {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      const onward = connect(tunnel, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', () => resolve());
    });
  });
  afterEach(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });

  const send = (url: string | URL) =>
    get(
      new URL(url),
      {},
      {
        clock: t.clock,
        signal: new AbortController().signal,
        stallTime: STALL_TIME,
        userAgent: 'test',
      },
    );

  for (const variable of ['http_proxy', 'HTTP_PROXY', 'ALL_PROXY']) {
    it(`goes where ${variable} says`, async () => {
      process.env[variable] = `http://${address()}`;
      const { made } = await t.pull({}, { convert: convertDirectly });
      assert.equal(made, true);
      assert.equal(seen.length, 3);
      assert.ok(seen.every((line) => line.startsWith(`GET ${t.hub.url}/`)));
    });
  }

  it('logs in with the name and password of the address', async () => {
    process.env['http_proxy'] = `http://user:p%40ss@${address()}`;
    const answer = await send(`${t.hub.url}/x`);
    answer.discard();
    assert.equal(credentials, `Basic ${Buffer.from('user:p@ss').toString('base64')}`);
  });

  it('goes past it for the hosts of NO_PROXY', async () => {
    process.env['HTTP_PROXY'] = `http://${address()}`;
    process.env['NO_PROXY'] = 'intranet.example,127.0.0.1';
    const answer = await send(`${t.hub.url}/x`);
    answer.discard();
    assert.equal(answer.status, 404);
    assert.deepEqual(seen, []);
  });

  it('asks for a tunnel to encrypted servers, and passes on its refusal', async () => {
    process.env['HTTPS_PROXY'] = `http://${address()}`;
    const answer = await send('https://hub.example/file');
    answer.discard();
    assert.equal(answer.status, 407);
    assert.deepEqual(seen, ['CONNECT hub.example:443']);
  });

  it('speaks TLS in the tunnel', async () => {
    process.env['HTTPS_PROXY'] = `http://${address()}`;
    // The hub does not: what it says is no TLS.
    tunnel = Number(new URL(t.hub.url).port);
    await assert.rejects(send('https://hub.example/file'), {
      code: 'M2FP_DOWNLOAD_FAILED',
      message: /^hub\.example through the proxy 127\.0\.0\.1:\d+ does not speak TLS/,
    });
    assert.deepEqual(seen, ['CONNECT hub.example:443']);
    assert.deepEqual(t.hub.requests, []);
  });

  it('takes a proxy without a scheme as http, as curl does', async () => {
    process.env['HTTPS_PROXY'] = address();
    const answer = await send('https://hub.example/file');
    answer.discard();
    assert.deepEqual(seen, ['CONNECT hub.example:443']);
  });

  for (const wrong of ['socks5://127.0.0.1:1080', 'http://']) {
    it(`refuses a proxy that it cannot use: ${wrong}`, async () => {
      process.env['HTTP_PROXY'] = wrong;
      await assert.rejects(send(t.hub.url), { code: 'M2FP_DOWNLOAD_FAILED', message: /HTTPS_PROXY/ });
    });
  }

  it('is redirected from encrypted to encrypted addresses only', () => {
    const target = (from: string, location: string) => redirectTarget(new URL(from), location).href;
    assert.equal(target('https://a.example/x/y', '../z?q=1'), 'https://a.example/z?q=1');
    assert.equal(target('http://a.example/', 'https://b.example/'), 'https://b.example/');
    assert.equal(target('http://a.example/', '//b.example/c'), 'http://b.example/c');
    assert.throws(() => target('https://a.example/', 'http://a.example/'), {
      code: 'M2FP_DOWNLOAD_FAILED',
      message: /not encrypted/,
    });
    assert.throws(() => target('https://a.example/', 'ftp://a.example/'), /makes no sense/);
  });

  it('shows addresses without what is secret in them', () => {
    assert.equal(
      shownUrl(new URL('https://user:secret@host.example:8443/a/b?signature=abc')),
      'https://host.example:8443/a/b',
    );
  });
});
