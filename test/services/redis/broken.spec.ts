/** Servers that answer nonsense, or nearly what Redis does: an error with a code, and nothing ends or grows by it. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { BullLink } from '../../../src/engine/remote/client/bull-link.ts';
import { M2fpError } from '../../../src/errors.ts';
import { PlayedEngine } from '../support/played-engine.ts';
import { errorOf, forever, redisUnderTest, request, until } from '../support/redis-workers.ts';
import { answering, between, endless, type StrangeServer } from '../support/strange-server.ts';
import { SHORT } from '../support/times.ts';

const address = { url: '', username: '', password: '', queue: 'tests' };
const times = { ...SHORT, connect: 300, check: 50, retry: 50 };

const REPLIES: Record<string, string> = {
  nothing: '$-1\r\n',
  'no list': '*-1\r\n',
  'nothing as RESP3 has it': '_\r\n',
  'a list of nothing': '*1\r\n$-1\r\n',
  'a list of nothings': '*3\r\n$-1\r\n$-1\r\n$-1\r\n',
  'a number': ':5\r\n',
  'a list of more than there can be': '*99999999999\r\n',
  'a list of very many': '*2000000000\r\n',
  'a list of less than none': '*-5\r\n',
  'a text of less than none': '$-7\r\n',
  'lists in lists': '*1\r\n'.repeat(50_000),
  'a push of nothing': '>3\r\n_\r\n_\r\n_\r\n',
  'a message that nobody asked for': '*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$-1\r\n',
  'more answers than questions': '$-1\r\n$-1\r\n$-1\r\n',
  garbage: 'nobody knows\r\n',
  'an HTTP answer': 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
  'half an answer': '$10\r\nabc',
  'another type': '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n',
  'a text in place of a number':
    '-ERR value is not an integer or out of range script: 0a1b, on @user_script:12.\r\n',
  loading: '-LOADING Redis is loading the dataset in memory\r\n',
  'no memory': "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
  'a replica': "-READONLY You can't write against a read only replica.\r\n",
  'no password': '-NOAUTH Authentication required.\r\n',
  'an error of megabytes': `-ERR ${'x'.repeat(3e6)}\r\n`,
};

describe('a server that is not quite Redis', function () {
  this.timeout(60_000);
  const subject = redisUnderTest();
  let server: StrangeServer | undefined;
  afterEach(() => server?.close());

  for (const [what, reply] of Object.entries(REPLIES)) {
    it(`answers with ${what}`, async () => {
      for (const good of [0, 3, 4, 5, 6, 8, 11]) {
        server = await answering(reply, good);
        const link = new BullLink({ ...address, url: server.url }, times);
        const error: unknown = await link.open().catch((thrown: unknown) => thrown);
        if (error !== undefined) {
          assert.ok(error instanceof M2fpError, inspect(error));
          assert.equal(error.code, 'M2FP_ENGINE_UNAVAILABLE');
          assert.ok(error.message.length < 600, `${error.message.length} characters`);
        }
        assert.deepEqual(link.workers, []);
        await sleep(100);
        await link.close();
        // Not more than one every 50 ms, of each kind.
        assert.ok(server.connections < 40, `${server.connections} connections`);
        await server.close();
      }
    });
  }

  const words: [what: string, good: number, message: RegExp][] = [
    ['no memory', 4, /has no memory left: give it more/],
    ['another type', 4, /Somebody else .* delete it, or name another queue/],
    ['a text in place of a number', 4, /Somebody else .* delete it, or name another queue/],
    ['a replica', 4, /is a replica that takes no changes/],
    ['loading', 4, /is still reading its data/],
    ['no password', 4, /wants a password/],
    ['nothing', 4, /is not Redis/],
    ['garbage', 4, /is not Redis/],
  ];
  for (const [what, good, message] of words) {
    it(`says in words what is wrong where it answers with ${what}`, async () => {
      server = await answering(REPLIES[what]!, good);
      const link = new BullLink({ ...address, url: server.url }, times);
      assert.match((await errorOf(link.open())).message, message);
      await server.close();
    });
  }

  for (const begin of ['$500000000\r\n', '*400000000\r\n', '+', '>400000000\r\n']) {
    it(`sends an answer without end: ${JSON.stringify(begin)}`, async () => {
      const mebibyte = Buffer.alloc(2 ** 20, '$-1\r\n');
      const text = begin === '+' ? Buffer.alloc(2 ** 20, 'x') : mebibyte;
      server = await endless(begin, text);
      const link = new BullLink({ ...address, url: server.url }, times);
      assert.equal((await errorOf(link.open())).code, 'M2FP_ENGINE_UNAVAILABLE', begin);
      await link.close();
      assert.ok(server.sent < 64 * 2 ** 20, `${begin}: ${server.sent} bytes`);
      await server.close();
    });
  }

  it('changes what Redis says, here and there', async () => {
    const { redis } = subject;
    const strange = [...Object.values(REPLIES).filter((reply) => reply.length < 200), '', '\r\n', '\0'];
    let seed = 20;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    let honest = true;
    const change = (data: Buffer): Buffer | null => {
      if (honest || random(4) > 0) return data;
      const at = random(data.length);
      const kind = random(5);
      if (kind === 0) return null;
      if (kind === 1) return data.subarray(0, at);
      const inserted = Buffer.from(strange[random(strange.length)]!, 'latin1');
      if (kind === 2) return Buffer.concat([inserted, data]);
      if (kind === 3) return Buffer.concat([data.subarray(0, at), inserted, data.subarray(at)]);
      const changed = Buffer.from(data);
      changed[at] = random(256);
      return changed;
    };
    server = await between(redis.address.url, change);
    const through = { ...redis.address, url: server.url };
    const link = subject.linkTo(through, { ...times, connect: 5000, silence: 1000 });
    const engine = new PlayedEngine();
    await subject.play(engine, [], through);
    await link.open();
    engine.answerAll();
    const { rss } = process.memoryUsage();
    const ends = new Map<string, number>();
    const end = (code: string) => ends.set(code, (ends.get(code) ?? 0) + 1);
    for (let round = 0; round < 20; round++) {
      honest = false;
      const timeout = AbortSignal.timeout(600);
      const stop = new AbortController();
      timeout.addEventListener('abort', () => stop.abort(new M2fpError('M2FP_TIMEOUT', 'Too long.')));
      await Promise.all(
        Array.from({ length: 4 }, () =>
          link.submit(request(link), stop.signal).then(
            () => end('parsed'),
            (error: unknown) => end((error as M2fpError).code),
          ),
        ),
      );
      honest = true;
      await sleep(50);
    }
    const allowed = [
      'parsed',
      'M2FP_TIMEOUT',
      'M2FP_ENGINE_UNAVAILABLE',
      'M2FP_BAD_IMAGE',
      'M2FP_MODEL_INVALID',
    ];
    assert.deepEqual(
      [...ends.keys()].filter((code) => !allowed.includes(code)),
      [],
    );
    assert.ok(process.memoryUsage().rss - rss < 300e6);
    // Whatever was said, both come back by themselves.
    await until(link, () => link.failure === null && link.workers.length === 1);
    assert.equal((await link.submit(request(link), forever)).width, 448);
  });
});
