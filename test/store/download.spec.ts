import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Retry } from '../../src/store/retry.ts';
import { downloading } from './support/downloading.ts';
import {
  answerStatus,
  CHECKPOINT,
  cutAt,
  damaged,
  Hub,
  MODEL_ID,
  sha256,
  stallAt,
  webPage,
} from './support/hub.ts';

describe('downloading a file', () => {
  const { t, file, url, download, truth, arrived, ranges, at, assertResumed, failed, leavePart } =
    downloading();

  it('brings the whole file', async () => {
    const seen: number[] = [];
    assert.equal(await download(truth(), { onReceived: (received) => seen.push(received) }), true);
    arrived();
    assert.equal(seen.at(-1), t.hub.checkpoint.bytes.length);
    assert.deepEqual(t.clock.slept, []);
  });

  it('goes on where the connection broke at 37 %', async () => {
    t.hub.next(CHECKPOINT, cutAt(0.37));
    await download();
    arrived();
    assert.equal(ranges().length, 2);
    assertResumed(ranges()[1]);
    assert.deepEqual(t.clock.slept, [1000]);
  });

  it('goes on where a server sends nothing any more', async () => {
    t.hub.next(CHECKPOINT, stallAt(0.5));
    await download(truth(), {
      onReceived: (received) => {
        if (received === at(0.5)) setImmediate(() => t.clock.stall());
      },
    });
    arrived();
    assert.deepEqual(ranges(), [undefined, `bytes=${at(0.5)}-`]);
  });

  it('gives up on a server that never answers', async () => {
    t.hub.always(CHECKPOINT, () => setImmediate(() => t.clock.stall()));
    await assert.rejects(download(), failed(/sent nothing for 12\.345 s\. Gave up after 6 attempts/));
    assert.deepEqual(t.clock.slept, [1000, 2000, 4000, 8000, 16_000]);
  });

  it('starts over where the server knows no ranges', async () => {
    t.hub.ranges = false;
    t.hub.next(CHECKPOINT, cutAt(0.37));
    await download();
    arrived();
  });

  it('gives up where a server without ranges always breaks off', async () => {
    t.hub.always(CHECKPOINT, cutAt(0.37));
    await assert.rejects(download(), failed(/failed .*Gave up after 6 attempts/));
  });

  it('does not give up while it comes further', async () => {
    for (let share = 0.05; share < 1; share += 0.05) {
      t.hub.next(CHECKPOINT, (request, response, bytes) => {
        const begin = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
        const status = begin === 0 ? 200 : 206;
        const range = `bytes ${begin}-${bytes.length - 1}/${bytes.length}`;
        response.writeHead(status, {
          'content-length': bytes.length - begin,
          ...(begin > 0 && { 'content-range': range }),
        });
        response.write(bytes.subarray(begin, at(share)), () => response.destroy());
      });
    }
    await download();
    arrived();
    assert.ok(t.clock.slept.length > 6);
    assert.equal(Math.max(...t.clock.slept), 1000);
  });

  it('waits a random part of the time less', async () => {
    t.hub.next(CHECKPOINT, answerStatus(500), answerStatus(500));
    await download(truth(), { random: () => 0 });
    assert.deepEqual(t.clock.slept, [500, 1000]);
  });

  it('tries again after 500 twice', async () => {
    t.hub.next(CHECKPOINT, answerStatus(500), answerStatus(503));
    await download();
    arrived();
    assert.deepEqual(t.clock.slept, [1000, 2000]);
  });

  it('tells each pause before it, and its end', async () => {
    const told: (Retry | null)[] = [];
    t.hub.next(CHECKPOINT, answerStatus(500), answerStatus(503), cutAt(0));
    await download(truth(), { onRetry: (retry) => told.push(retry) });
    const attempts = 5;
    const reasons = told.flatMap((retry) => (retry ? [retry.reason] : []));
    for (const [index, reason] of [
      /answered with status 500/,
      /status 503/,
      /connection .+ failed/,
    ].entries()) {
      assert.match(reasons[index]!, reason);
    }
    const plain = told.map((retry) => retry && { ...retry, reason: undefined });
    assert.deepEqual(JSON.parse(JSON.stringify(plain)), [
      { status: 500, seconds: 1, attempt: 1, attempts },
      null,
      { status: 503, seconds: 2, attempt: 2, attempts },
      null,
      { status: null, seconds: 4, attempt: 3, attempts },
      null,
    ]);
  });

  it('gives up on a server that always says 500', async () => {
    t.hub.always(CHECKPOINT, answerStatus(500));
    await assert.rejects(download(), failed(/status 500.*Gave up after 6 attempts/));
    assert.equal(t.hub.of(CHECKPOINT).length, 6);
  });

  it('waits as long as the server asks', async () => {
    const date = new Date(Date.now() + 3600_000).toUTCString();
    t.hub.next(CHECKPOINT, answerStatus(429, { 'retry-after': '77' }));
    await download();
    assert.deepEqual(t.clock.slept, [77_000]);
    t.hub.next(CHECKPOINT, answerStatus(503, { 'retry-after': date }));
    await assert.rejects(
      download(truth(), { file: join(t.root, 'second') }),
      failed(/asks to come back in (59|60) minutes/),
    );
  });

  for (const [status, message] of [
    [403, /status 403.*needs a login.*browser.*folder/],
    [401, /status 401.*needs a login/],
    [407, /proxy wants a login.*HTTPS_PROXY/],
    [400, /status 400.*Check the address/],
  ] as const) {
    it(`says what to do about ${status}, and does not try again`, async () => {
      t.hub.next(CHECKPOINT, answerStatus(status));
      await assert.rejects(download(), failed(message));
      assert.equal(t.hub.of(CHECKPOINT).length, 1);
    });
  }

  it('asks the next address after 404, and tells where none has the file', async () => {
    const other = new URL(
      `${t.hub.url}/api/v1/models/${MODEL_ID}/repo?Revision=master&FilePath=${CHECKPOINT}`,
    );
    t.hub.next(CHECKPOINT, answerStatus(404));
    assert.equal(await download(truth(), { urls: [url(), other] }), true);
    arrived();
    t.hub.forms.clear();
    assert.equal(await download(truth(), { urls: [url(), other], file: join(t.root, 'second') }), false);
  });

  it('follows a redirect to another port, and asks the first address again to go on', async () => {
    const storage = await new Hub().open();
    try {
      t.hub.always(CHECKPOINT, (_, response) => {
        response.writeHead(302, { location: url(storage).href }).end();
      });
      storage.next(CHECKPOINT, cutAt(0.37));
      await download();
      arrived();
      assert.equal(t.hub.of(CHECKPOINT).length, 2);
      assertResumed(storage.of(CHECKPOINT)[1]?.range);
    } finally {
      await storage.close();
    }
  });

  it('does not follow redirects for ever, nor to what is no web address', async () => {
    t.hub.always(CHECKPOINT, (_, response) => response.writeHead(302, { location: url().href }).end());
    await assert.rejects(download(), failed(/redirects more than 10 times/));
    const files = (_: unknown, response: ServerResponse) =>
      void response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    const other = await new Hub().open();
    other.next(CHECKPOINT, files);
    try {
      await assert.rejects(download(truth(), { urls: [url(other)] }), failed(/makes no sense/));
    } finally {
      await other.close();
    }
  });

  it('takes a body without a length', async () => {
    t.hub.next(CHECKPOINT, (_, response, bytes) => {
      response.writeHead(200);
      response.write(bytes.subarray(0, 1000));
      response.end(bytes.subarray(1000));
    });
    await download({});
    arrived();
  });

  it('goes on after a body without a length that ended early', async () => {
    t.hub.next(CHECKPOINT, (_, response, bytes) => response.writeHead(200).end(bytes.subarray(0, at(0.2))));
    await download();
    arrived();
    assert.deepEqual(ranges(), [undefined, `bytes=${at(0.2)}-`]);
  });

  it('refuses a length that the list does not tell, after one more try', async () => {
    const { size, sha256: digest } = truth();
    t.hub.always(CHECKPOINT, (_, response, bytes) => {
      response.writeHead(200, { 'content-length': bytes.length - 1 }).end(bytes.subarray(1));
    });
    await assert.rejects(
      download({ size, sha256: digest }),
      failed(new RegExp(`has ${size - 1} bytes instead of the ${size} .*, twice`)),
    );
    assert.equal(t.hub.of(CHECKPOINT).length, 2);
    assert.equal(existsSync(file()), false);
  });

  it('refuses a body that does not end where it should', async () => {
    t.hub.next(CHECKPOINT, (_, response, bytes) => {
      response.writeHead(200);
      response.write(bytes);
      response.end('more');
    });
    await download();
    arrived();
    assert.equal(t.hub.of(CHECKPOINT).length, 2);
  });

  it('fetches a file with a wrong digest once more', async () => {
    t.hub.next(CHECKPOINT, damaged);
    await download();
    arrived();
    assert.deepEqual(ranges(), [undefined, undefined]);
  });

  it('names both digests where they never agree, and keeps nothing', async () => {
    t.hub.always(CHECKPOINT, damaged);
    const { size, sha256: digest } = truth();
    const wrong = sha256(Buffer.alloc(size, 7));
    await assert.rejects(download(), failed(new RegExp(`SHA-256 ${wrong} instead of the ${digest}.*twice`)));
    assert.equal(t.hub.of(CHECKPOINT).length, 2);
    assert.equal(existsSync(file()), false);
  });

  it('notices a login page by its type and by its first byte', async () => {
    t.hub.next(CHECKPOINT, webPage);
    await assert.rejects(download({}), failed(/web page, not the file.*log in/));
    t.hub.next(CHECKPOINT, (_, response) => response.writeHead(200).end('<html><h1>Welcome</h1></html>'));
    await assert.rejects(download({}), failed(/web page, not the file/));
  });

  it('keeps its part when a login page comes in between', async () => {
    await leavePart();
    t.hub.next(CHECKPOINT, webPage);
    await assert.rejects(download(), failed(/web page/));
    await download();
    arrived();
    assert.equal(ranges()[1], `bytes=${at(0.37)}-`);
  });

  it('says where the disk is full', async () => {
    await assert.rejects(
      download(truth(), { file: join(t.root, 'nowhere', 'file') }),
      failed(/file cannot be written: ENOENT/),
    );
  });

  it('says what to check where nobody answers', async () => {
    const { hub } = t;
    const gone = url();
    await hub.close();
    try {
      await assert.rejects(
        download({}, { urls: [gone] }),
        failed(/connection to 127\.0\.0\.1:\d+ failed .*check the network/),
      );
    } finally {
      await hub.open();
    }
  });
});
