/** All our admin routes: what comes from a page of another address is refused. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { NodeAPI } from 'node-red';
import { serveAdmin as serveModel } from '../../../nodes/m2fp-model/admin.ts';
import { serveAdmin as servePreview } from '../../../nodes/m2fp-preview/admin.ts';

const require = createRequire(import.meta.url);
const express = createRequire(require.resolve('node-red'))('express') as {
  (): http.RequestListener & { use(handler: unknown): void };
  json(options: object): unknown;
  urlencoded(options: object): unknown;
};
type Route = readonly [method: 'GET' | 'POST', path: string];

describe('the admin routes', () => {
  let server: http.Server;
  let routes: Route[];
  let settings: object;

  beforeEach(async () => {
    const app = express();
    // As Node-RED does.
    app.use(express.json({ limit: '5mb' }));
    app.use(express.urlencoded({ limit: '5mb', extended: true }));
    routes = [];
    settings = {};
    const served = app as unknown as Record<'get' | 'post', (path: string, ...handlers: unknown[]) => void>;
    for (const method of ['get', 'post'] as const) {
      const add = served[method].bind(app);
      served[method] = (path, ...handlers) => {
        // Express reads settings by get, too.
        if (handlers.length > 0) routes.push([method === 'get' ? 'GET' : 'POST', path]);
        return add(path, ...handlers);
      };
    }
    const RED = {
      settings,
      auth: { needsPermission: () => (_request: unknown, _response: unknown, next: () => void) => next() },
      httpAdmin: app,
      nodes: { getNode: () => null, eachNode: () => {} },
      _: (key: string) => key,
    } as unknown as NodeAPI;
    serveModel(RED);
    servePreview(RED);
    server = http.createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    assert.ok(routes.length >= 9, String(routes));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** By node:http, for fetch sets none of the headers that browsers do. */
  const ask = async (
    [method, path]: Route,
    headers: http.OutgoingHttpHeaders,
    body = '',
  ): Promise<number> => {
    const { port } = server.address() as AddressInfo;
    const request = http.request({
      port,
      host: '127.0.0.1',
      method,
      path: path.replaceAll(':', ''),
      headers,
    });
    request.end(body);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    return response.statusCode!;
  };
  const own = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const json = { 'content-type': 'application/json; charset=utf-8' };
  const posts = (): Route[] => routes.filter(([method]) => method === 'POST');

  for (const type of [
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'text/plain; application/json',
    undefined,
  ]) {
    it(`that do something take no ${type ?? 'body without a type'}`, async () => {
      for (const route of posts()) {
        const headers = type === undefined ? {} : { 'content-type': type };
        assert.equal(await ask(route, headers, 'source=remote&redis=redis://10.0.0.1'), 415, route[1]);
      }
    });
  }

  const fromEditor: Record<string, () => http.OutgoingHttpHeaders> = {
    'without an origin': () => json,
    'with the origin of the server': () => ({ ...json, origin: own() }),
    'and what browsers say of it': () => ({ ...json, origin: own(), 'sec-fetch-site': 'same-origin' }),
    'where a proxy has changed the name of the host': () => ({
      ...json,
      origin: 'https://editor.example',
      'sec-fetch-site': 'same-origin',
    }),
    'where a person entered the address': () => ({ ...json, 'sec-fetch-site': 'none' }),
  };
  for (const [what, headers] of Object.entries(fromEditor)) {
    it(`take what the editor sends ${what}`, async () => {
      for (const route of routes) {
        const status = await ask(route, headers(), route[0] === 'POST' ? '{}' : '');
        assert.ok(![403, 413, 415].includes(status), `${route[1]} ${status}`);
      }
    });
  }

  const elsewhere = 'https://elsewhere.example';
  const fromElsewhere: Record<string, http.OutgoingHttpHeaders> = {
    'another address': { origin: elsewhere },
    'no address': { origin: 'null' },
    'what browsers call another site': { origin: elsewhere, 'sec-fetch-site': 'cross-site' },
    'an image or a script, which has no origin': { 'sec-fetch-site': 'cross-site' },
    'an image or a script of another server of this machine': { 'sec-fetch-site': 'same-site' },
    'what tells two places': { 'sec-fetch-site': 'same-origin, same-site' },
    'another server of this machine': { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' },
    // Node-RED 4 lets pages set headers that a proxy would.
    'one that plays a proxy': { origin: elsewhere, 'x-forwarded-host': 'elsewhere.example' },
  };
  for (const [whom, headers] of Object.entries(fromElsewhere)) {
    it(`take nothing from ${whom}`, async () => {
      for (const route of routes) {
        const status = await ask(route, { ...json, ...headers }, route[0] === 'POST' ? '{}' : '');
        assert.equal(status, 403, route[1]);
      }
    });
  }

  it('take them where the settings say so', async () => {
    Object.assign(settings, { httpAdminCors: { origin: '*' } });
    for (const route of posts())
      assert.notEqual(await ask(route, { ...json, origin: 'https://elsewhere.example' }, '{}'), 403);
  });

  it('that do something take no more than a form has', async () => {
    const body = JSON.stringify({ source: 'folder', folder: 'x'.repeat(70_000) });
    for (const route of posts()) {
      assert.equal(await ask(route, { ...json, 'content-length': body.length }, body), 413);
      assert.equal(await ask(route, { ...json, 'transfer-encoding': 'chunked' }, body), 413);
    }
  });
});
