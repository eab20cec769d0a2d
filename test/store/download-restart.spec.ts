import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { downloading } from './support/downloading.ts';
import { answerStatus, CHECKPOINT, stallAt } from './support/hub.ts';

describe('a download after a restart', () => {
  const { t, file, download, arrived, ranges, at, leavePart } = downloading();

  it('goes on with what has arrived', async () => {
    await leavePart();
    await download();
    arrived();
    assert.deepEqual(ranges(), [`bytes=${at(0.37)}-`]);
  });

  it('does not ask again for a file that is whole', async () => {
    await download();
    t.hub.requests.length = 0;
    await download();
    arrived();
    assert.deepEqual(ranges(), []);
  });

  it('starts over where the list tells another file now', async () => {
    await leavePart();
    t.hub.checkpoint.bytes = Buffer.from(t.hub.checkpoint.bytes.toReversed());
    await download();
    arrived();
    assert.deepEqual(ranges(), [undefined]);
  });

  it('asks by ETag whether the file is the same where nothing else tells', async () => {
    await leavePart({});
    await download({});
    arrived();
    assert.deepEqual(ranges(), [`bytes=${at(0.37)}-`]);
    assert.match(t.hub.of(CHECKPOINT)[0]?.headers['if-range'] as string, /^"[0-9a-f]{16}"$/);
  });

  it('starts over where the ETag tells that the file has changed', async () => {
    await leavePart({});
    t.hub.checkpoint.bytes = Buffer.from(t.hub.checkpoint.bytes.toReversed());
    await download({});
    arrived();
    assert.deepEqual(ranges(), [`bytes=${at(0.37)}-`]);
  });

  it('starts over where nothing could tell that the file has changed', async () => {
    t.hub.next(CHECKPOINT, stallAt(0.37));
    const controller = new AbortController();
    const cut = download(
      {},
      {
        signal: controller.signal,
        onReceived: (received) => {
          if (received === at(0.37)) controller.abort(new Error('killed'));
        },
      },
    );
    await assert.rejects(cut, /killed/);
    await download({});
    arrived();
    assert.deepEqual(ranges(), [undefined, undefined]);
  });

  it('starts over where its notes are damaged', async () => {
    await leavePart();
    writeFileSync(`${file()}.json`, '{"si');
    await download();
    arrived();
    assert.deepEqual(ranges(), [undefined]);
  });

  it('starts over where the part was changed', async () => {
    await leavePart();
    writeFileSync(file(), Buffer.alloc(at(0.37), 7));
    await download();
    arrived();
    assert.deepEqual(ranges(), [`bytes=${at(0.37)}-`, undefined]);
  });

  it('starts over where the server sends another part than it was asked for', async () => {
    await leavePart();
    t.hub.next(CHECKPOINT, (_, response, bytes) => {
      const range = `bytes 5-${bytes.length - 1}/${bytes.length}`;
      response.writeHead(206, { 'content-range': range }).end(bytes.subarray(5));
    });
    await download();
    arrived();
    assert.deepEqual(ranges(), [`bytes=${at(0.37)}-`, undefined]);
  });

  it('starts over where the server has less than has arrived', async () => {
    await leavePart();
    t.hub.next(CHECKPOINT, answerStatus(416));
    await download();
    arrived();
  });
});
