/** Bodies of requests, in as much memory as they take. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BodyReader } from '../../src/service/body/read-body.ts';
import { FakeClock } from '../engine/support/fakes.ts';

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

  it('takes no more memory for bodies whose length is not told than has come of them', async () => {
    const reader = new BodyReader(LIMIT);
    const slow = Array.from({ length: 12 }, () => {
      const request = requestOf([]);
      request._read = () => {};
      reader.read(request).catch(() => {});
      // All twelve are less than all bodies may take together.
      for (const size of [200_000, 400_000]) request.push(Buffer.alloc(size));
      return request;
    });
    assert.ok((await reader.read(requestOf(piecesOf(65_536)))).equals(bytes));
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

  describe('of a client that sends slowly', () => {
    const SECOND = 1000;
    const tooSlow = (words: RegExp) => ({ code: 'M2FP_BODY_TIMEOUT', statusCode: 408, message: words });
    let clock: FakeClock;
    let reader: BodyReader;
    beforeEach(() => {
      clock = new FakeClock();
      reader = new BodyReader(LIMIT, clock);
    });

    /** A request of which no more comes than `send` is given. @param told its length */
    function slowly(told?: number): {
      read: Promise<Buffer>;
      send: (bytes: number) => Promise<void>;
      end: () => void;
    } {
      const request = requestOf([], told);
      request._read = () => {};
      const read = reader.read(request);
      read.catch(() => {});
      const send = async (size: number): Promise<void> => {
        request.push(Buffer.alloc(size));
        await nextTurn();
      };
      return { read, send, end: () => void request.push(null) };
    }
    /** Lets time pass, and the event loop turn. */
    const wait = async (seconds: number): Promise<void> => {
      clock.advance(seconds * SECOND);
      for (let turn = 0; turn < 4; turn++) await nextTurn();
    };

    for (const told of [LIMIT, undefined]) {
      const what = told === undefined ? 'whose length is not told' : 'whose length is told';

      it(`gives a body up ${what} when nothing of it comes for ten seconds`, async () => {
        const { read, send } = slowly(told);
        let isOver = false;
        read.catch(() => (isOver = true));
        await send(900_000);
        await wait(9);
        await send(1);
        await wait(9.9);
        assert.ok(!isOver);
        await wait(0.1);
        await assert.rejects(read, tooSlow(/nothing .* for 10 seconds/));
        assert.deepEqual(clock.pending(), []);
      });

      it(`gives a body up ${what} of which a byte comes every nine seconds, however much came before`, async () => {
        const { read, send } = slowly(told);
        await send(900_000);
        for (let byte = 0; byte < 6; byte++) {
          await wait(9);
          await send(1);
        }
        await assert.rejects(read, tooSlow(/fewer than 500 bytes a second/));
      });

      it(`takes its time for a body ${what} that comes over a slow network`, async () => {
        const { read, send, end } = slowly(told);
        // Ten minutes at 800 bytes a second, in bursts.
        const pieces = 75;
        for (let piece = 0; piece < pieces; piece++) {
          await wait(8);
          await send(6400);
        }
        end();
        assert.equal((await read).length, pieces * 6400);
        assert.deepEqual(clock.pending(), []);
      });
    }

    it('gives up one of which nothing comes at all', async () => {
      const { read } = slowly(LIMIT);
      await wait(10);
      await assert.rejects(read, tooSlow(/nothing .* for 10 seconds/));
    });

    it('counts what has come while the event loop was held', async () => {
      const { read, send, end } = slowly(LIMIT);
      const sent = send(300_000);
      // Nothing is read before the timers have had their turn.
      await wait(30);
      await sent;
      end();
      assert.equal((await read).length, 300_000);
    });

    it('gives its memory to the next', async () => {
      const stalled = Array.from({ length: 9 }, () => slowly());
      for (const { send } of stalled) await send(LIMIT - 1);
      await assert.rejects(reader.read(requestOf(piecesOf(65_536))), { code: 'M2FP_BUSY' });
      await wait(10);
      for (const { read } of stalled) await assert.rejects(read, tooSlow(/./));
      assert.ok((await reader.read(requestOf(piecesOf(65_536)))).equals(bytes));
    });

    it('watches no body that has come, or whose client went away', async () => {
      await reader.read(requestOf(piecesOf(1000), bytes.length));
      const request = requestOf([], LIMIT);
      request._read = () => {};
      const read = reader.read(request);
      assert.deepEqual(clock.pending(), [10 * SECOND]);
      request.destroy();
      await assert.rejects(read, { code: 'M2FP_CANCELLED' });
      assert.deepEqual(clock.pending(), []);
    });
  });
});
