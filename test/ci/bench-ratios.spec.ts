/** Ratios of one run are compared with those of an earlier one, never times. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { better, earlier, engineRatios, fallen, graphRatios, table } from '../../tools/ci/bench-ratios.ts';
import { temporaryFolder } from '../support/installed-package.ts';

/** Numbers that only a bench tells; the ratios do not look at them. */
type Graph = Parameters<typeof graphRatios>[0];
type Engine = Parameters<typeof engineRatios>[0];

describe('the ratios of the benches', () => {
  it('are read from what the benches tell, more is better', () => {
    const sizes = [{ height: 640, width: 960, medianMs: 1429, ratioToPlain: 1.48 }] as Graph['sizes'];
    assert.deepEqual(graphRatios({ sizes }), { 'our graph by a plain one, 640 x 960': 1.48 });
    const clients = [
      { clients: 1, throughputRatio: 0.8 },
      { clients: 4, throughputRatio: 1.3 },
    ] as Engine['models'][number]['pools']['clients'];
    const models = [{ pools: { clients }, http: { ratio: 1.25 } }] as Engine['models'];
    assert.deepEqual(engineRatios({ models }), {
      'pictures per second, two processes by one, 4 clients': 1.3,
      'a direct call by a picture through HTTP and Node-RED': 0.8,
    });
  });

  it('fail on a fall by more than a tenth, not on less, and not on what is new', () => {
    assert.deepEqual(fallen({ a: 0.89, b: 0.91, c: 2, d: 0.1 }, { a: 1, b: 1, c: 1, gone: 1 }), ['a']);
  });

  it('are believed when the second run says so, too', () => {
    const now = better({ a: 0.8, b: 0.8, c: 1 }, { a: 0.99, b: 0.85 });
    assert.deepEqual(now, { a: 0.99, b: 0.85, c: 1 });
    assert.deepEqual(fallen(now, { a: 1, b: 1, c: 1 }), ['b']);
  });

  it('are a table, with what fell marked', () => {
    const text = table({ a: 0.8, b: 1.1, c: 3 }, { a: 1, b: 1 });
    assert.match(text, /\| a \| 1\.00 \| 0\.80 \| -20\.0 % \*\*fell\*\* \|/);
    assert.match(text, /\| b \| 1\.00 \| 1\.10 \| 10\.0 % \|/);
    assert.match(text, /\| c \| {2}\| 3\.00 \| {2}\|/);
    assert.match(table({ a: 1 }, undefined), /Nothing to compare with/);
  });

  it('of the last release come from a file or an address, and may be missing', async () => {
    const file = join(temporaryFolder('ratios'), 'ratios.json');
    assert.equal(await earlier(file), undefined);
    writeFileSync(file, '{"a":1}');
    assert.deepEqual(await earlier(file), { a: 1 });
    const server = createServer((request, response) => {
      const status = Number(request.url!.slice(1));
      response.writeHead(status).end('{"b":2}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      assert.deepEqual(await earlier(`${url}/200`), { b: 2 });
      assert.equal(await earlier(`${url}/404`), undefined);
      await assert.rejects(earlier(`${url}/500`), /answers 500/);
    } finally {
      server.close();
    }
  });
});
