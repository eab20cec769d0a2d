/** A file of a hub to download, and what tests say of it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { downloadFile, type Expected } from '../../../src/store/download.ts';
import { STALL_TIME } from './clock.ts';
import { CHECKPOINT, type Hub, MODEL_ID, sha256 } from './hub.ts';
import { bench } from './pulling.ts';

/** A new hub for each test of a `describe`, and a file that it gives. */
export function downloading() {
  const t = bench();
  const file = () => join(t.root, 'file');
  const url = (hub: Hub = t.hub) => new URL(`${hub.url}/models/${MODEL_ID}/resolve/master/${CHECKPOINT}`);

  function download(
    expected: Expected = truth(),
    { urls = [url()], ...options }: Partial<Parameters<typeof downloadFile>[0]> = {},
  ): Promise<boolean> {
    return downloadFile({
      urls,
      file: file(),
      expected,
      clock: t.clock,
      random: () => 1,
      signal: new AbortController().signal,
      stallTime: STALL_TIME,
      userAgent: 'test',
      ...options,
    });
  }
  const truth = () => ({ size: t.hub.checkpoint.bytes.length, sha256: sha256(t.hub.checkpoint.bytes) });
  const arrived = () => assert.ok(readFileSync(file()).equals(t.hub.checkpoint.bytes));
  const ranges = () => t.hub.of(CHECKPOINT).map(({ range }) => range);
  const at = (share: number) => Math.floor(t.hub.checkpoint.bytes.length * share);
  /** What was on its way when the connection broke is lost. */
  const assertResumed = (range: string | undefined) => {
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
    assert.ok(start > at(0.2) && start <= at(0.37), range);
  };
  const failed = (message: RegExp) => ({ code: 'M2FP_DOWNLOAD_FAILED', message });

  /** Downloads a part, as a process does that is then killed. */
  async function leavePart(expected?: Expected, share = 0.37): Promise<void> {
    const controller = new AbortController();
    t.hub.next(CHECKPOINT, (_, response, bytes) => {
      const etag = `"${sha256(bytes).slice(0, 16)}"`;
      response.writeHead(200, { 'content-length': bytes.length, etag });
      response.write(bytes.subarray(0, Math.floor(bytes.length * share)));
    });
    const cut = download(expected, {
      signal: controller.signal,
      onReceived: (received) => {
        if (received === at(share)) controller.abort(new Error('killed'));
      },
    });
    await assert.rejects(cut, /killed/);
    t.hub.requests.length = 0;
  }

  return { t, file, url, download, truth, arrived, ranges, at, assertResumed, failed, leavePart };
}
