/** The port of a worker that tells how it does. */
import assert from 'node:assert/strict';
import { type ProbeServer, serveProbes } from '../../src/cli/probe-server.ts';
import { M2fpError } from '../../src/errors.ts';
import { type Health, healthOf } from '../../src/observe/health.ts';

describe('the port of a worker', () => {
  let server: ProbeServer;
  let health: Health;

  beforeEach(async () => {
    health = healthOf({ engines: [] });
    server = await serveProbes('0', { health: () => health, metrics: async () => 'm2fp_ready 1\n' });
  });
  afterEach(() => server.close());

  const get = async (path: string, init?: RequestInit): Promise<[number, string, string | null]> => {
    const response = await fetch(server.url + path, init);
    return [response.status, await response.text(), response.headers.get('content-type')];
  };

  it('is only to be had on this machine', () => {
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  });

  it('tells that it lives, whether it is ready, why not, and its metrics', async () => {
    assert.deepEqual(await get('/live'), [200, '{"live":true}\n', 'application/json']);
    assert.deepEqual((await get('/ready?x'))[0], 200);
    const reason = { code: 'redis-lost', model: 'a', message: 'Nobody answers' } as const;
    health = healthOf({ engines: [], reasons: [reason] });
    const [status, body] = await get('/ready');
    assert.deepEqual(
      [status, JSON.parse(body)],
      [503, { status: 'unready', ready: false, reasons: [reason] }],
    );
    assert.deepEqual((await get('/health'))[0], 503);
    assert.deepEqual((await get('/live'))[0], 200);
    assert.deepEqual(await get('/metrics'), [
      200,
      'm2fp_ready 1\n',
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    assert.deepEqual(await get('/ready', { method: 'HEAD' }), [503, '', 'application/json']);
  });

  it('has nothing else, and takes nothing', async () => {
    for (const path of ['/', '/x/ready', '/ready/', '/%72eady'])
      assert.equal((await get(path))[0], 404, path);
    assert.equal((await get('/ready', { method: 'POST', body: 'x' }))[0], 405);
  });

  it('is told what is no address, and what cannot be had', async () => {
    const source = { health: () => health, metrics: async () => '' };
    const taken = server.url.replace('http://', '');
    for (const address of ['', 'x', ':80', '99999', '127.0.0.1:', 'a b:1', '[::1]', taken]) {
      await assert.rejects(
        serveProbes(address, source),
        (error) =>
          error instanceof M2fpError && error.code === 'M2FP_BAD_OPTION' && /--listen/.test(error.message),
        address,
      );
    }
  });
});
