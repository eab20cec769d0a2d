/** What the HTTP examples read of a request: the same everywhere, and never more than their limit. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { example, type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import sharp from 'sharp';
import { twoPeople as largeImage, upload } from '../support/images.ts';

const NAMES = ['2 HTTP API', '4 Parsing service', '7 Privacy', '9 Gallery'];
const ADDRESSES = ['/parse', '/colorize', '/m2fp/api/parse', '/m2fp/private', '/m2fp/gallery'];
const MB = 1024 * 1024;
/** What Node-RED may take more while it refuses: the body's limit, and what the garbage of it is. */
const HEADROOM_MB = 400;

const twoPeople = await sharp(largeImage).resize(224).png().toBuffer();
const bytes = new Uint8Array(twoPeople);
const base64 = twoPeople.toString('base64');
const dataUrl = `data:image/png;base64,${base64}`;
const as = (type: string, body: string | Uint8Array<ArrayBuffer>): RequestInit => ({
  body,
  headers: { 'content-type': type },
  redirect: 'manual',
});
const compressed = (coding: string, body: Uint8Array<ArrayBuffer>): RequestInit => ({
  body,
  headers: { 'content-type': 'image/png', 'content-encoding': coding },
});
/** What nobody sends who means a picture. */
const MANY_FIELDS = as('application/x-www-form-urlencoded', 'a=1&'.repeat(1_200_000));
const MANY: Record<string, string> = {
  levels: '['.repeat(5000) + ']'.repeat(5000),
  'more levels': '['.repeat(200_000) + ']'.repeat(200_000),
  objects: `[${Array.from({ length: 1_600_000 }, () => '{}').join()}]`,
  lists: `[${Array.from({ length: 900_000 }, () => '[[]]').join()}]`,
  texts: `[${Array.from({ length: 1_200_000 }, () => '"a"').join()}]`,
  names: `{${Array.from({ length: 450_000 }, (_, i) => `"${i}":1`).join()}}`,
  'objects in an image': `{"image":[${Array.from({ length: 1_500_000 }, () => '{}').join()}]}`,
  nothings: `[${Array.from({ length: 900_000 }, () => 'null').join()}]`,
};
/** Every way in which people send a picture. */
const BODIES: Record<string, RequestInit> = {
  'bytes as a picture': as('image/png', bytes),
  'bytes of no type that is known': as('application/octet-stream', bytes),
  'bytes without a type': { body: new Blob([bytes]), redirect: 'manual' },
  'bytes that curl calls a form': as('application/x-www-form-urlencoded', bytes),
  'bytes as text': as('text/plain', bytes),
  'bytes as JSON': as('application/json', bytes),
  'an upload': upload(twoPeople),
  'base64 as text': as('text/plain', base64),
  'base64 that curl calls a form': as('application/x-www-form-urlencoded', base64),
  'a data URL as text': as('text/plain', dataUrl),
  'a data URL as JSON': as('application/json', JSON.stringify(dataUrl)),
  'JSON with base64': as('application/json', JSON.stringify({ image: base64 })),
  'JSON with a data URL': as('application/json; charset=utf-8', JSON.stringify({ image: dataUrl })),
  'JSON that curl calls a form': as('application/x-www-form-urlencoded', JSON.stringify({ image: base64 })),
  'JSON behind a byte order mark': as('application/json', `\ufeff${JSON.stringify({ image: base64 })}`),
  'base64 behind a byte order mark': as('text/plain', `\ufeff${base64}`),
  'a form with a field': { body: new URLSearchParams({ image: base64 }), redirect: 'manual' },
};

/** Memory of a process now, and the most since `resetPeak`. */
const statusOf = (pid: number, name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

interface Answer {
  status: number;
  code: string;
  message: string;
  sent: number;
}

/** The error in an answer: problem+json, or what a flow makes of it for its page. */
function errorIn(text: string): { code: string; message: string } {
  const { error, code, detail } = JSON.parse(text) as {
    error?: { code: string; message: string };
    code: string;
    detail: string;
  };
  return error ?? { code, message: detail };
}

/** Sends the beginning of a body, and nothing more; resolves with the answer when the connection is closed. */
function stall(url: string, path: string, head: string, start: string | Buffer): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`);
  socket.write(start);
  return textOf(socket);
}

/** Sends `head` and then the same piece for ever; resolves with the answer, and how much was sent until then. */
function sendEndlessly(url: string, path: string, head: string, piece: Buffer): Promise<Answer> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1');
    let sent = 0;
    let text = '';
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece)) sent += piece.length;
      sent += piece.length;
    };
    socket.on('drain', more);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed without an answer: ${text}`)));
    socket.on('data', (data) => {
      text += data.toString();
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
      const json = /\{"(?:error|type)":.*\}/.exec(text)?.[0];
      if (status === undefined || json === undefined) return;
      resolve({ status: Number(status), ...errorIn(json), sent });
      socket.destroy();
    });
    const lines = [`POST ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Transfer-Encoding: chunked', head, '', ''];
    socket.write(lines.join('\r\n'), 'latin1');
    more();
  });
}

const chunk = (data: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]);
const MULTIPART = 'Content-Type: multipart/form-data; boundary=b';
const multipartHead = chunk(
  Buffer.from('--b\r\ncontent-disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'),
);
/** Of bodies that go no further. */
const BEGINNINGS: [head: string, start: string | Buffer][] = [
  ['Content-Type: image/png\r\nContent-Length: 2000', twoPeople.subarray(0, 1800)],
  ['Content-Type: application/json\r\nContent-Length: 2000', `{"image":"${base64.slice(0, 1800)}`],
  ['Transfer-Encoding: chunked', chunk(twoPeople.subarray(0, 1800))],
  [`Transfer-Encoding: chunked\r\n${MULTIPART}`, multipartHead],
];

for (const version of VERSIONS) {
  describe(`the bodies that the examples take (${version})`, function () {
    this.timeout(120_000);
    let nodeRed: NodeRed;
    /** Giving them up takes ten seconds, in which the other tests go on. */
    let stalled: Promise<string>[];
    before(async () => {
      nodeRed = await NodeRed.start(version, NAMES.flatMap(example));
      stalled = ADDRESSES.flatMap((address) =>
        BEGINNINGS.map((begin) => stall(nodeRed.url, address, ...begin)),
      );
    });
    after(() => nodeRed?.stop());

    for (const address of ADDRESSES) {
      for (const [name, init] of Object.entries(BODIES)) {
        it(`takes ${name} at ${address}`, async () => {
          const response = await nodeRed.post(address, init);
          const answer = response.status < 400 ? '' : await response.text();
          assert.ok([200, 303].includes(response.status), `${name}: ${response.status} ${answer}`);
        });
      }
    }

    it('takes an upload that is more than JSON may be, and JSON of the same size', async () => {
      const large = Buffer.concat([twoPeople, Buffer.alloc(9 * MB)]);
      assert.equal((await nodeRed.post('/parse', upload(large))).status, 200);
      const json = as('application/json', JSON.stringify({ image: large.toString('base64') }));
      assert.equal((await nodeRed.post('/parse', json)).status, 200);
    });

    const noImages: [RequestInit, number, string, RegExp][] = [
      [as('application/json', '{"image": '), 400, 'M2FP_NO_IMAGE', /JSON/],
      [as('multipart/form-data; boundary=b', 'nothing'), 400, 'M2FP_NO_IMAGE', /holds no file/],
      [as('multipart/form-data', 'nothing'), 400, 'M2FP_NO_IMAGE', /boundary/],
      [as('application/json', `[${'0,'.repeat(3 * MB)}0]`), 413, 'M2FP_IMAGE_TOO_LARGE', /base64/],
      [
        compressed('gzip', gzipSync(bytes)),
        415,
        'M2FP_UNSUPPORTED_FORMAT',
        /Content-Encoding: gzip.*as it is/,
      ],
      [compressed('br', brotliCompressSync(bytes)), 415, 'M2FP_UNSUPPORTED_FORMAT', /Content-Encoding: br\)/],
    ];
    for (const [init, status, code, words] of noImages) {
      it(`says what is wrong with a body that holds no picture: ${words.source}`, async () => {
        const response = await nodeRed.post('/parse', init);
        const error = errorIn(await response.text());
        assert.deepEqual([response.status, error.code], [status, code], error.message);
        assert.match(error.message, words);
      });
    }

    const bodies: Record<string, RequestInit> = { 'a form of many fields': MANY_FIELDS };
    for (const [name, json] of Object.entries(MANY))
      bodies[`JSON of many ${name}`] = as('application/json', json);
    for (const [name, init] of Object.entries(bodies)) {
      for (const address of ['/parse', '/m2fp/private']) {
        it(`refuses ${name}, and answers others meanwhile: ${address}`, async () => {
          const state = { isAnswered: false };
          const asked = nodeRed.post(address, init).finally(() => (state.isAnswered = true));
          let longest = 0;
          while (!state.isAnswered) {
            const before = performance.now();
            await (await fetch(`${nodeRed.url}/m2fp/public`)).arrayBuffer();
            longest = Math.max(longest, performance.now() - before);
          }
          const response = await asked;
          const error = errorIn(await response.text());
          assert.deepEqual([response.status, error.code], [400, 'M2FP_NO_IMAGE'], error.message);
          // Copying it took up to half a minute; the machine of the test may be busy.
          assert.ok(longest < 1000, `others waited ${longest} ms`);
        });
      }
    }

    it('leaves the other addresses of Node-RED as they are', async () => {
      const flows: FlowNode[] = [
        { id: 'tab', type: 'tab', label: 'own' },
        ...['/m2fp/parse', '/parse2'].flatMap((url, at) => [
          { id: `in${at}`, type: 'http in', z: 'tab', url, method: 'post', wires: [[`out${at}`]] },
          { id: `out${at}`, type: 'http response', z: 'tab', wires: [] },
        ]),
      ];
      const own = await NodeRed.start(version, [...flows, ...example('2 HTTP API')]);
      try {
        for (const url of ['/m2fp/parse', '/parse2']) {
          const response = await own.post(url, as('application/json', '{"a":1}'));
          assert.deepEqual(await response.json(), { a: 1 });
        }
      } finally {
        await own.stop();
      }
    });

    it('reads them behind httpNodeRoot, too, from the first request on', async () => {
      const behind = await NodeRed.start(version, NAMES.flatMap(example), { httpNodeRoot: '/api' });
      try {
        const type = 'Content-Type: multipart/form-data; boundary=b';
        const endless = Buffer.concat([multipartHead, chunk(Buffer.alloc(64 * 1024))]);
        const answer = await sendEndlessly(behind.url, '/api/parse', type, endless);
        assert.deepEqual([answer.status, answer.code], [413, 'M2FP_IMAGE_TOO_LARGE']);
        for (const address of ADDRESSES.slice(1)) {
          const response = await behind.post(`/api${address}`, BODIES['bytes that curl calls a form']);
          assert.ok([200, 303].includes(response.status), `${address}: ${response.status}`);
        }
      } finally {
        await behind.stop();
      }
    });

    describe('a body that is too large', () => {
      // Closing it takes half a minute, in which the other tests go on.
      let regardless: Promise<void>;
      before(() => {
        const socket = connect(Number(new URL(nodeRed.url).port), '127.0.0.1');
        socket.write(
          'POST /parse HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000\r\nContent-Type: image/png\r\n\r\n',
        );
        const timer = setInterval(() => socket.write(Buffer.alloc(1000)), 50);
        socket.on('error', () => {});
        regardless = new Promise((resolve) => {
          socket.on('close', () => {
            clearInterval(timer);
            resolve();
          });
        });
      });

      it('is refused before it comes where its length is told', async () => {
        const answer = await new Promise<string>((resolve, reject) => {
          const headers = { 'content-length': 100 * MB, 'content-type': 'image/png' };
          const asked = request(`${nodeRed.url}/parse`, { method: 'POST', headers }, (response) => {
            let text = String(response.statusCode);
            response.on('data', (data) => (text += String(data))).on('end', () => resolve(text));
            response.on('end', () => asked.destroy());
          });
          asked.on('error', reject);
          asked.write('a few bytes');
        });
        assert.match(answer, /^413.*M2FP_IMAGE_TOO_LARGE.*larger than 32 MB/);
      });

      (process.platform === 'linux' ? it : it.skip)(
        'is refused while it comes, and the memory stays bounded',
        async () => {
          const pid = nodeRed.child.pid!;
          const piece = Buffer.alloc(64 * 1024, 0x61);
          const tiny = Buffer.concat(Array.from({ length: 2000 }, () => chunk(Buffer.alloc(32, 0x61))));
          const before = statusOf(pid, 'VmRSS');
          const cases: [string, string, Buffer][] = [
            ['/parse', 'Content-Type: image/png', chunk(piece)],
            ...['/colorize', '/m2fp/api/parse', '/m2fp/private'].map((address): [string, string, Buffer] => [
              address,
              MULTIPART,
              Buffer.concat([multipartHead, chunk(piece)]),
            ]),
            ['/PARSE/?flip=false', MULTIPART, Buffer.concat([multipartHead, chunk(piece)])],
            // The forms in which Express takes an address, also where it is no URL.
            ...['/parse#there', '//a@b/parse#there', 'http://x:99999/parse'].map(
              (address): [string, string, Buffer] => [
                address,
                MULTIPART,
                Buffer.concat([multipartHead, chunk(piece)]),
              ],
            ),
            ['/parse', 'Content-Type: application/x-www-form-urlencoded', chunk(piece)],
            ['/parse', 'Content-Type: application/json', chunk(piece)],
            ['/parse', 'X-Tiny: pieces', tiny],
          ];
          for (const [path, head, data] of cases) {
            const answer = await sendEndlessly(nodeRed.url, path, head, data);
            const what = `${path} ${head}`;
            assert.deepEqual([answer.status, answer.code], [413, 'M2FP_IMAGE_TOO_LARGE'], what);
            assert.match(answer.message, /^The body of the request is larger than 32 MB\. /);
            const peak = statusOf(pid, 'VmHWM');
            assert.ok(peak - before < HEADROOM_MB, `${what}: from ${before} to ${peak} MB`);
          }
          assert.equal((await nodeRed.post('/parse', upload(twoPeople))).status, 200);
        },
      );

      it('is refused where many come at the same time, and its limit is a setting of the node', async () => {
        const small = example('2 HTTP API').map((node) =>
          node.type === 'm2fp-request' ? { ...node, maxBody: 4 } : node,
        );
        const limited = await NodeRed.start(version, small);
        try {
          const large = await limited.post('/parse', as('image/png', new Uint8Array(4 * MB + 1)));
          assert.equal(large.status, 413);
          assert.match(await large.text(), /larger than 4 MB/);
          const sockets = Array.from({ length: 24 }, () => {
            const socket = connect(Number(new URL(limited.url).port), '127.0.0.1');
            socket.on('error', () => {});
            socket.write('POST /parse HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n');
            socket.write(Buffer.alloc(3_900_000));
            return socket;
          });
          const refused: string[] = [];
          await new Promise<void>((resolve) => {
            for (const socket of sockets) {
              socket.on('data', (data) => {
                refused.push(data.toString());
                if (refused.length === 12) resolve();
              });
            }
          });
          for (const answer of refused) assert.match(answer, /^HTTP\/1\.1 429[^]*M2FP_BUSY/);
          for (const socket of sockets) socket.destroy();
          // What they held is free when Node-RED has seen that they are gone.
          let status = 429;
          while (status === 429) ({ status } = await limited.post('/parse', upload(twoPeople)));
          assert.equal(status, 200);
        } finally {
          await limited.stop();
        }
      });

      it('closes the connection of a client that goes on regardless', () => regardless);
    });

    it('gives clients up that have stopped in the middle, and closes their connections', async () => {
      for (const answer of await Promise.all(stalled)) {
        // The gallery's is a page.
        assert.match(
          answer,
          /^HTTP\/1\.1 408 .*\r\nconnection: close\r\n.* came too slowly: nothing more of it/is,
        );
      }
    });
  });
}
