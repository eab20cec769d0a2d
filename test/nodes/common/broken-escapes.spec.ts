/** Addresses that cannot be decoded, at a server like Node-RED's. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { NodeAPI } from 'node-red';
import { type Endpoint, takeBrokenEscapes } from '../../../nodes/common/broken-escapes.ts';

const ENDPOINTS: Endpoint[] = [
  { url: '/m2fp/api/jobs/:id', method: 'get' },
  { url: '/m2fp/files/*', method: 'get' },
];

describe('an address that cannot be decoded', () => {
  let server: http.Server;
  let stop: () => void;
  const urls: (string | undefined)[] = [];

  before(async () => {
    server = http
      .createServer(({ url }: IncomingMessage, response) => {
        urls.push(url);
        response.end();
      })
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => stop());
  after(() => server.close());

  const begin = (httpNodeRoot?: unknown): void => {
    stop = takeBrokenEscapes({ settings: { httpNodeRoot } } as unknown as NodeAPI, () => ENDPOINTS);
  };
  /** What a server is asked for, byte by byte. */
  const seen = async (url: string, method = 'GET'): Promise<string | undefined> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`${method} ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    socket.resume();
    await once(socket, 'close');
    return urls.pop();
  };

  it('is taken as the text that it is, piece by piece', async () => {
    begin('/');
    for (const [url, expected] of [
      ['/m2fp/api/jobs/%E0%A4%A', '/m2fp/api/jobs/%25E0%25A4%25A'],
      ['/M2FP/api/jobs/%?result=%E0', '/M2FP/api/jobs/%25?result=%E0'],
      ['/m2fp/api/jobs/%zz/#%', '/m2fp/api/jobs/%25zz/#%'],
      ['/m2fp/files/%C3%A4/%ff', '/m2fp/files/%C3%A4/%25ff'],
      ['/m2fp/api/jobs/%C3%A4', '/m2fp/api/jobs/%C3%A4'],
    ] as const) {
      const told = await seen(url);
      assert.equal(told, expected);
      assert.doesNotThrow(() => decodeURIComponent(told.split(/[?#]/, 1)[0]!));
      assert.equal(await seen(url, 'HEAD'), expected);
    }
  });

  it('is left to whoever else listens', async () => {
    begin('/');
    for (const [url, method] of [
      ['/other/m2fp/api/jobs/%', 'GET'],
      ['/m2fp/api/jobs/1/%', 'GET'],
      ['/m2fp/%', 'GET'],
      ['/m2fp/api/jobs/%', 'PUT'],
    ] as const)
      assert.equal(await seen(url, method), url);
    stop();
    assert.equal(await seen('/m2fp/api/jobs/%'), '/m2fp/api/jobs/%');
  });

  it('is looked at behind httpNodeRoot', async () => {
    begin('/api/');
    assert.equal(await seen('/api/m2fp/api/jobs/%'), '/api/m2fp/api/jobs/%25');
    assert.equal(await seen('/m2fp/api/jobs/%'), '/m2fp/api/jobs/%');
  });

  it('is looked at where there is no such setting', async () => {
    begin(undefined);
    assert.equal(await seen('/m2fp/api/jobs/%'), '/m2fp/api/jobs/%25');
  });
});
