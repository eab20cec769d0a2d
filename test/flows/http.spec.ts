/** The examples in a real Node-RED, from the packed package, through HTTP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import sharp from 'sharp';
import type { Problem } from '../../src/service/problem.ts';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { example, type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import { pngHeader, twoPeople } from '../support/images.ts';
import { gone } from '../engine/support/fakes.ts';
import { childrenOf, isAlive } from '../support/processes.ts';

const INFER = 'm2fpe2infer00001';

/** Writes what the owner of the service is told into Node-RED's log. */
const ownersCatch = (tab: unknown): FlowNode[] => [
  { id: 'ownercatch', type: 'catch', z: tab, scope: null, uncaught: false, wires: [['ownerlog']] },
  {
    id: 'ownerlog',
    type: 'debug',
    z: tab,
    active: true,
    tosidebar: false,
    console: true,
    complete: 'error',
    targetType: 'msg',
    wires: [],
  },
];

const png = (body: Buffer): RequestInit => ({
  body: new Uint8Array(body),
  headers: { 'content-type': 'image/png' },
});

async function errorOf(response: Response): Promise<{ status: number; code: string; message: string }> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const { status, code, detail: message } = (await response.json()) as Problem;
  assert.equal(status, response.status);
  return { status, code, message };
}

for (const version of VERSIONS) {
  describe(`the examples as HTTP endpoints (${version})`, function () {
    this.timeout(40_000);
    let nodeRed: NodeRed;

    before(async () => {
      const api = example('2 HTTP API');
      const { z } = api.find(({ id }) => id === INFER)!;
      nodeRed = await NodeRed.start(version, [...example('1 First picture'), ...api, ...ownersCatch(z)]);
    });
    after(() => nodeRed?.stop());

    it('runs the version that it says', () => {
      assert.match(
        nodeRed.log,
        version === 'node-red' ? /Node-RED version: v5\./ : /Node-RED version: v4\.1\./,
      );
    });

    it('answers a picture with its people as JSON', async () => {
      const response = await nodeRed.post('/parse', png(twoPeople));
      assert.equal(response.status, 200);
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
      const summary = (await response.json()) as ParsingSummary;
      assert.deepEqual([summary.width, summary.height, summary.model.id], [448, 448, 'm2fp-demo']);
      const labels = summary.parts.map(({ label }) => label);
      for (const label of ['Face', 'Hair', 'Pants'])
        assert.ok(labels.includes(label), `${label} in ${labels.join()}`);
    });

    const uploaded = new FormData();
    uploaded.append('scoreThreshold', '0.5');
    uploaded.append('picture', new Blob([new Uint8Array(twoPeople)]), 'two-people.png');
    for (const [what, body] of [
      ['a picture without a content type', new Blob([new Uint8Array(twoPeople)])],
      ['one that is uploaded behind another field', uploaded],
    ] as const) {
      it(`takes ${what}`, async () => {
        const response = await nodeRed.post('/parse', { body });
        assert.equal(response.status, 200);
        assert.equal(((await response.json()) as ParsingSummary).width, 448);
      });
    }

    it('answers a picture with a PNG of the same size', async () => {
      const jpeg = await sharp(twoPeople).resize(150, 97).jpeg().toBuffer();
      const response = await nodeRed.post('/colorize', png(jpeg));
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'image/png');
      const { format, width, height } = await sharp(await response.arrayBuffer()).metadata();
      assert.deepEqual({ format, width, height }, { format: 'png', width: 150, height: 97 });
    });

    for (const path of ['/colorize/', '/Colorize', '/COLORIZE?scores=1']) {
      it(`takes ${path} for /colorize, as Express does`, async () => {
        const response = await nodeRed.post(path, png(twoPeople));
        assert.equal(response.headers.get('content-type'), 'image/png');
      });
    }

    const noImages: [what: string, init: RequestInit, status: number, code: string][] = [
      ['nothing', {}, 400, 'M2FP_NO_IMAGE'],
      ['a form without a file', { body: new URLSearchParams({ a: 'b' }) }, 400, 'M2FP_NO_IMAGE'],
      ['a text', { body: 'a text' }, 415, 'M2FP_UNSUPPORTED_FORMAT'],
      ['half a picture', png(twoPeople.subarray(0, 20_000)), 400, 'M2FP_BAD_IMAGE'],
      ['a header that claims 900 megapixels', png(pngHeader(30_000, 30_000)), 413, 'M2FP_IMAGE_TOO_LARGE'],
    ];
    for (const path of ['/parse', '/colorize']) {
      for (const [what, init, status, code] of noImages) {
        it(`answers ${what} at ${path} with ${status} and ${code}`, async () => {
          const error = await errorOf(await nodeRed.post(path, init));
          assert.deepEqual([error.status, error.code], [status, code], error.message);
          assert.doesNotMatch(error.message, /^M2fpError|undefined|\n/);
        });
      }
    }

    it('shows the picture of the inject node on the page', async () => {
      const before = await (await fetch(`${nodeRed.url}/m2fp`)).text();
      assert.match(before, /No picture yet/);
      const statuses = await nodeRed.statuses();
      const drawn = statuses.next('m2fpe1color00001', ({ fill }) => fill === 'green');
      await nodeRed.inject('m2fpe1injec00001');
      await drawn;
      statuses.close();
      const page = await (await fetch(`${nodeRed.url}/m2fp`)).text();
      const [original, coloured] = [...page.matchAll(/<img [^>]*src="data:[^;]*;base64,([^"]+)"/g)].map(
        (match) => Buffer.from(match[1]!, 'base64'),
      );
      assert.equal((await sharp(original).metadata()).format, 'jpeg');
      const { format, width, height } = await sharp(coloured).metadata();
      assert.deepEqual({ format, width, height }, { format: 'png', width: 448, height: 448 });
    });

    (process.platform === 'win32' ? describe.skip : describe)(
      'when something goes wrong in the middle of a run',
      () => {
        /** Starts a request whose engine process is stopped, so that it is surely running and stays so. */
        async function requestInFlight(): Promise<{ answer: Promise<Response>; engine: number }> {
          const warm = await nodeRed.post('/parse', png(twoPeople));
          assert.equal(warm.status, 200);
          const [engine, ...others] = childrenOf(nodeRed.child.pid!);
          assert.ok(engine !== undefined && others.length === 0, 'all nodes share one engine process');
          process.kill(engine, 'SIGSTOP');
          const statuses = await nodeRed.statuses();
          const running = statuses.next(INFER, ({ fill }) => fill === 'blue');
          const answer = nodeRed.post('/parse', png(twoPeople));
          answer.catch(() => {});
          await running;
          statuses.close();
          return { answer, engine };
        }

        it('answers 503 when the engine process is killed, and the next request as ever', async () => {
          const { answer, engine } = await requestInFlight();
          process.kill(engine, 'SIGKILL');
          const response = await answer;
          assert.match(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
          const error = await errorOf(response);
          assert.deepEqual([error.status, error.code], [503, 'M2FP_ENGINE_CRASHED']);
          // The client is told what to do, and nothing of processes and signals.
          assert.match(error.message, /Send it again/);
          assert.doesNotMatch(error.message, /SIGKILL|process|node/i);
          // The owner is.
          await nodeRed.logged("code: 'M2FP_ENGINE_CRASHED'");
          assert.match(nodeRed.log, /message: 'M2fpError: [^\n]*SIGKILL/);
          assert.equal((await nodeRed.post('/parse', png(twoPeople))).status, 200);
        });

        it('ends cleanly when it is told to, and leaves no process behind', async () => {
          const { answer, engine } = await requestInFlight();
          assert.equal(await nodeRed.stop(), 0, nodeRed.log);
          assert.ok(!isAlive(engine));
          await answer.then(
            (response) => assert.ok(response.status >= 400),
            (error: unknown) => assert.ok(error instanceof TypeError, 'the connection was closed'),
          );
        });

        it('leaves no process behind when Node-RED itself is killed', async () => {
          nodeRed = await NodeRed.start(version, example('2 HTTP API'));
          assert.equal((await nodeRed.post('/parse', png(twoPeople))).status, 200);
          const [engine] = childrenOf(nodeRed.child.pid!);
          nodeRed.child.kill('SIGKILL');
          await once(nodeRed.child, 'exit');
          await gone(engine!);
        });
      },
    );
  });
}
