/** Bodies of requests, in as much memory as they take. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BodyReader } from '../../src/service/body/read-body.ts';

const LIMIT = 2 ** 20;

/** As a parser of HTTP gives it. */
function requestOf(pieces: readonly Buffer[], told?: number): IncomingMessage {
  const headers = told === undefined ? {} : { 'content-length': String(told) };
  return Object.assign(Readable.from(pieces), { headers }) as unknown as IncomingMessage;
}

const bytes = Buffer.from(Array.from({ length: 300_001 }, (_, index) => index % 251));
const piecesOf = (size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));

describe('the reader of bodies', () => {
  for (const size of [1000, 65_536, bytes.length]) {
    it(`reads a body whose length is told into memory of that length, in pieces of ${size} bytes`, async () => {
      const body = await new BodyReader(LIMIT).read(requestOf(piecesOf(size), bytes.length));
      assert.ok(body.equals(bytes));
      assert.deepEqual([body.byteOffset, body.buffer.byteLength], [0, bytes.length]);
    });

    it(`reads one whose length is not told, and leaves nothing of others behind it, in pieces of ${size} bytes`, async () => {
      const body = await new BodyReader(LIMIT).read(requestOf(piecesOf(size)));
      assert.ok(body.equals(bytes));
      assert.ok(
        Buffer.from(body.buffer)
          .subarray(bytes.length)
          .every((byte) => byte === 0),
      );
    });
  }

  it('takes no memory for what was told and has not come', async () => {
    const reader = new BodyReader(LIMIT);
    // Nine of them would be more than all bodies may take together.
    const slow = Array.from({ length: 20 }, () => {
      const request = requestOf([], LIMIT);
      request._read = () => {};
      const read = reader.read(request);
      read.catch(() => {});
      request.push(Buffer.from('x'));
      return request;
    });
    assert.ok((await reader.read(requestOf(piecesOf(65_536), bytes.length))).equals(bytes));
    for (const request of slow) request.destroy();
  });

  it('reads no more than some MB in one turn of the event loop, however much has come from however many', async () => {
    const reader = new BodyReader(64 * LIMIT);
    const [clients, chunk] = [64, Buffer.alloc(65_536)];
    let [inThisTurn, most] = [0, 0];
    const ended = new AbortController();
    const requests = Array.from({ length: clients }, () => {
      const request = requestOf(Array<Buffer>(16).fill(chunk), LIMIT);
      request.on('data', ({ length }: Buffer) => {
        inThisTurn += length;
        most = Math.max(most, inThisTurn);
      });
      return request;
    });
    const turns = (async () => {
      while (!ended.signal.aborted) {
        await nextTurn();
        inThisTurn = 0;
      }
    })();
    const bodies = await Promise.all(requests.map((request) => reader.read(request)));
    ended.abort();
    await turns;
    assert.ok(bodies.every(({ length }) => length === LIMIT));
    // The one that came last is not cut, and each request may have had a piece in hand when it was told to pause.
    assert.ok(most <= 4 * LIMIT + clients * chunk.length, `${most} bytes in one turn`);
  });

  it('refuses more than is allowed, told or not', async () => {
    const tooLarge = { code: 'M2FP_IMAGE_TOO_LARGE' };
    await assert.rejects(new BodyReader(1000).read(requestOf(piecesOf(500), bytes.length)), tooLarge);
    await assert.rejects(new BodyReader(1000).read(requestOf(piecesOf(500))), tooLarge);
  });
});
