/** Requests that are refused before all of them has come, by clients that read no answer before they have sent everything. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { discardRest } from '../../src/service/body/discard.ts';
import { FakeClock } from '../engine/support/fakes.ts';

const MB = 2 ** 20;
const PIECE = Buffer.alloc(MB);

describe('the rest of a request that is refused', () => {
  let server: Server;
  let clock: FakeClock;
  let requests: IncomingMessage[];
  beforeEach(async () => {
    clock = new FakeClock();
    requests = [];
    server = createServer((request, response) => {
      requests.push(request);
      discardRest(request, { clock, most: 100 * MB });
      response.writeHead(413, { 'content-length': 9 });
      response.end('too large');
      server.emit('answered');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const open = (head: string): Socket => {
    const { port } = server.address() as AddressInfo;
    // As sockets are elsewhere: who is answered may go on sending.
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write(`POST / HTTP/${head}\r\n\r\n`);
    return socket;
  };
  /** Resolves when nothing waits for more. */
  const forgotten = async (): Promise<void> => {
    while (clock.pending().length > 0) await nextTurn();
  };
  /** Sends it all, and looks at the answer afterwards. */
  const sendAll = async (socket: Socket, pieces: number): Promise<string> => {
    socket.pause().setMaxListeners(0);
    const gone = new Promise((resolve) => socket.once('close', resolve));
    for (let sent = 0; sent < pieces; sent++) {
      if (!socket.write(PIECE)) await Promise.race([once(socket, 'drain'), gone]);
    }
    return text(socket);
  };

  for (const head of ['1.1\r\nHost: a\r\nConnection: close', '1.0']) {
    it(`is taken and thrown away, so that the answer is seen: HTTP/${head.slice(0, 3)}`, async () => {
      const socket = open(`${head}\r\nContent-Length: ${64 * MB}`);
      assert.match(await sendAll(socket, 64), /^HTTP\/1.1 413 .*too large$/s);
      await forgotten();
      socket.destroy();
    });
  }

  it('leaves the connection to the next request where the client wants that', async () => {
    const socket = open(`1.1\r\nHost: a\r\nContent-Length: ${2 * MB}`);
    socket.write(PIECE);
    socket.write(PIECE);
    await once(server, 'answered');
    const [first] = requests;
    if (!first!.complete) await once(first!, 'end');
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    assert.match(await text(socket), /413.*too largeHTTP\/1.1 413.*too large$/s);
    assert.equal(requests.length, 2);
  });

  for (const keep of ['close', 'keep-alive']) {
    const head = `1.1\r\nHost: a\r\nConnection: ${keep}\r\nContent-Length: ${900 * MB}`;
    const begun = async (): Promise<{ socket: Socket; request: IncomingMessage }> => {
      const socket = open(head);
      socket.resume();
      await once(server, 'answered');
      return { socket, request: requests[0]! };
    };

    it(`is waited for no longer than five seconds where nothing comes: ${keep}`, async () => {
      const { socket, request } = await begun();
      clock.advance(4000);
      socket.write('more');
      await once(request, 'data');
      clock.advance(4000);
      assert.ok(!request.socket.destroyed);
      clock.advance(1000);
      assert.ok(request.socket.destroyed);
      socket.destroy();
    });

    it(`is taken no longer than half a minute: ${keep}`, async () => {
      const { socket, request } = await begun();
      for (let second = 0; second < 28; second += 4) {
        clock.advance(4000);
        socket.write('more');
        await once(request, 'data');
      }
      assert.ok(!request.socket.destroyed);
      clock.advance(2000);
      assert.ok(request.socket.destroyed);
      socket.destroy();
      await forgotten();
    });
  }

  it('is no more than a bound', async () => {
    const socket = open(`1.1\r\nHost: a\r\nContent-Length: ${300 * MB}`);
    await once(server, 'answered');
    let bytes = 0;
    requests[0]!.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await sendAll(socket, 300).catch(() => {});
    assert.ok(bytes > 90 * MB && bytes < 110 * MB, String(bytes));
  });
});
