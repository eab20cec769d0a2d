import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { MjpegSource } from '../../../src/camera/http/mjpeg.ts';
import { type HttpSourceOptions, SnapshotSource } from '../../../src/camera/http/snapshot.ts';
import type { Credentials, FrameSource } from '../../../src/camera/types.ts';
import { CameraServer, type PartStyle, sendParts } from '../support/camera-server.ts';
import { jpegOf, noisyJpeg } from '../support/jpegs.ts';

const ACCOUNT = { user: 'anna', password: 'p@ss: w/rd' };
const LIMITS = { timeout: 5000, maxBytes: 2 * 2 ** 20 };

describe('the sources over HTTP', () => {
  let camera: CameraServer;
  let images: Buffer[];
  const signal = new AbortController().signal;

  before(async () => {
    images = [await jpegOf(1), await noisyJpeg(), await jpegOf(3)];
  });
  beforeEach(async () => {
    camera = await new CameraServer().start();
  });
  afterEach(() => camera.stop());

  const options = (address: string, more: Partial<HttpSourceOptions> = {}): HttpSourceOptions => ({
    address,
    credentials: {},
    limits: LIMITS,
    ...more,
  });
  const snapshot = (path = '/snap.jpg', more: Partial<HttpSourceOptions> = {}): FrameSource =>
    new SnapshotSource(options(camera.url(path), more));
  const mjpeg = (more: Partial<HttpSourceOptions> = {}): FrameSource =>
    new MjpegSource(options(camera.url('/stream'), more));

  /** The first pictures; the connection is left then. */
  const take = async (source: FrameSource, count = 1): Promise<Buffer[]> => {
    const taken: Buffer[] = [];
    for await (const image of source.open(signal)) {
      taken.push(image);
      if (taken.length === count) break;
    }
    return taken;
  };
  const failure = async (source: FrameSource, reason: string): Promise<string> => {
    const error = await take(source, 99).then(
      () => assert.fail('it did not fail'),
      (thrown: unknown) => thrown as Error & { code?: string; reason?: string },
    );
    assert.deepEqual([error.code, error.reason], ['M2FP_CAMERA_OFFLINE', reason], error.message);
    return error.message;
  };
  const answer =
    (body: Buffer | string, type = 'image/jpeg', status = 200) =>
    (_request: unknown, response: ServerResponse): void =>
      void response.writeHead(status, { 'content-type': type }).end(body);

  describe('snapshots', () => {
    it('asks for each picture', async () => {
      let number = 0;
      camera.handler = (_request, response) => void response.end(images[number++]);
      assert.deepEqual(await take(snapshot(), 3), images);
      assert.equal(camera.requests.length, 3);
    });

    it('takes pictures of other formats', async () => {
      const png = await sharp(images[0]).png().toBuffer();
      camera.handler = answer(png, 'image/png');
      assert.deepEqual(await take(snapshot()), [png]);
    });

    it('logs in with digest, and answers the next time at once', async () => {
      camera.login = {
        account: ACCOUNT,
        challenges: (nonce) => ['Basic realm="c"', `Digest realm="c", nonce="${nonce}", qop="auth"`],
      };
      camera.handler = answer(images[0]!);
      await take(snapshot('/snap.jpg?channel=1&x=a b', { credentials: ACCOUNT }), 3);
      const kinds = camera.requests.map(({ authorization }) => authorization?.split(' ')[0]);
      assert.deepEqual(kinds, [undefined, 'Digest', 'Digest', 'Digest']);
    });

    it('logs in with SHA-256, and again when the nonce has grown old', async () => {
      camera.login = {
        account: ACCOUNT,
        challenges: (nonce) => [`Digest realm="c", nonce="${nonce}", qop="auth", algorithm=SHA-256`],
      };
      camera.handler = answer(images[0]!);
      camera.nonceUses = 2;
      assert.equal((await take(snapshot('/snap.jpg', { credentials: ACCOUNT }), 7)).length, 7);
    });

    it('logs in with basic where the server wants that, and with a user in the address', async () => {
      camera.login = { account: ACCOUNT, challenges: () => ['Basic realm="c"'] };
      camera.handler = answer(images[0]!);
      await take(snapshot('/snap.jpg', { credentials: ACCOUNT }));
      const source = new SnapshotSource(options(camera.url('/snap.jpg', 'anna:p%40ss%3A%20w%2Frd@')));
      assert.deepEqual(await take(source), [images[0]]);
    });

    it('sends a token, as Home Assistant wants it', async () => {
      camera.login = { token: 'abc.def', challenges: () => ['Bearer'] };
      camera.handler = answer(images[0]!);
      assert.deepEqual(
        await take(snapshot('/api/camera_proxy/camera.door', { credentials: { token: 'abc.def' } })),
        [images[0]],
      );
    });

    it('puts the login into the address where that names it', async () => {
      camera.handler = answer(images[0]!);
      await take(snapshot('/cgi?user={user}&password={password}', { credentials: ACCOUNT }));
      assert.equal(camera.requests[0]!.url, '/cgi?user=anna&password=p%40ss%3A%20w%2Frd');
    });

    for (const [name, credentials] of Object.entries<Credentials>({
      'a wrong password': { ...ACCOUNT, password: 'secret-wrong' },
      'a wrong token': { token: 'secret-token' },
      'no login': {},
    })) {
      it(`says that the login is refused with ${name}, and asks no more than twice`, async () => {
        camera.login = { account: ACCOUNT, challenges: (nonce) => [`Digest realm="c", nonce="${nonce}"`] };
        const message = await failure(snapshot('/snap.jpg?token=secret-query', { credentials }), 'login');
        assert.doesNotMatch(message, /secret/);
        assert.ok(camera.requests.length <= 2);
      });
    }

    it('follows redirects, and takes the login to no other host', async () => {
      const other = await new CameraServer().start();
      try {
        other.handler = answer(images[0]!);
        camera.handler = (request, response) =>
          void (request.headers.authorization
            ? response.writeHead(302, { location: other.url('/there.jpg') }).end()
            : response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end());
        assert.deepEqual(await take(snapshot('/snap.jpg', { credentials: ACCOUNT })), [images[0]]);
        assert.deepEqual(other.requests, [{ url: '/there.jpg', authorization: undefined }]);
        other.login = { account: ACCOUNT, challenges: () => ['Basic realm="x"'] };
        await failure(snapshot('/snap.jpg', { credentials: ACCOUNT }), 'login');
        assert.deepEqual(
          new Set(other.requests.map(({ authorization }) => authorization)),
          new Set([undefined]),
        );
      } finally {
        await other.stop();
      }
    });

    it('does not run after redirects without end, nor to what is no web address', async () => {
      camera.handler = (_request, response) => void response.writeHead(302, { location: '/again' }).end();
      await failure(snapshot(), 'refused');
      assert.equal(camera.requests.length, 6);
      camera.handler = (_request, response) =>
        void response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      await failure(snapshot(), 'refused');
    });

    const faults: [name: string, reason: string, handler: CameraServer['handler']][] = [
      ['a page', 'no-picture', answer('<html>login</html>', 'text/html')],
      ['nothing', 'no-picture', answer('')],
      ['status 404', 'refused', answer('no', 'text/plain', 404)],
      ['status 500', 'refused', answer('no', 'text/plain', 500)],
      [
        'a picture cut off with its length told',
        'unreachable',
        (_request, response) => {
          response.writeHead(200, { 'content-length': images[1]!.length });
          response.write(images[1]!.subarray(0, 500), () => response.destroy());
        },
      ],
      [
        'a picture cut off',
        'no-picture',
        (_request, response) => void response.end(images[1]!.subarray(0, 5000)),
      ],
      ['a connection that breaks off', 'unreachable', (_request, response) => void response.destroy()],
      [
        'a huge picture',
        'too-large',
        (_request, response) => void response.end(Buffer.alloc(3 * 2 ** 20, 1)),
      ],
    ];
    for (const [name, reason, handler] of faults) {
      it(`says what is wrong with ${name}`, async () => {
        camera.handler = handler;
        await failure(snapshot(), reason);
      });
    }

    for (const [packing, pack] of [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['br', brotliCompressSync],
    ] as const) {
      it(`unpacks what is sent as ${packing}, up to the limit`, async () => {
        camera.handler = (_request, response) =>
          void response
            .writeHead(200, { 'content-type': 'image/jpeg', 'content-encoding': packing })
            .end(pack(images[1]!));
        assert.deepEqual(await take(snapshot()), [images[1]]);
        assert.deepEqual(await take(mjpeg()), [images[1]]);
        camera.handler = (_request, response) =>
          void response.writeHead(200, { 'content-encoding': packing }).end(pack(Buffer.alloc(2 ** 26)));
        await failure(snapshot(), 'too-large');
        camera.handler = (_request, response) =>
          void response.writeHead(200, { 'content-encoding': packing }).end(images[1]);
        await failure(snapshot(), 'no-picture');
      });
    }

    it('says what it got in place of the picture that was promised', async () => {
      camera.handler = answer('<!doctype html><h1>Log in</h1>');
      assert.match(
        await failure(snapshot(), 'no-picture'),
        /says that it sends image\/jpeg, but it is a web page/,
      );
      camera.handler = (_request, response) =>
        void response.writeHead(200, { 'content-encoding': 'zip' }).end('x');
      assert.match(await failure(snapshot(), 'no-picture'), /packs its answer/);
    });

    it('gives up a server that hangs, before its answer and in it', async () => {
      const limits = { ...LIMITS, timeout: 100 };
      camera.handler = () => {};
      await failure(snapshot('/snap.jpg', { limits }), 'timeout');
      camera.handler = (_request, response) => void response.write(images[1]!.subarray(0, 100));
      await failure(snapshot('/snap.jpg', { limits }), 'timeout');
    });

    it('gives up a server that sends a byte now and then', async () => {
      camera.handler = (_request, response) => {
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(timer));
      };
      await failure(snapshot('/snap.jpg', { limits: { ...LIMITS, timeout: 100 } }), 'timeout');
    });

    it('says that nobody listens, and that there is no HTTP', async () => {
      const server = createServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end('220 ftp ready\r\n'),
      );
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const source = new SnapshotSource(options(`http://127.0.0.1:${port}/?token=secret`));
      assert.doesNotMatch(await failure(source, 'no-picture'), /secret/);
      server.close();
      await once(server, 'close');
      await failure(source, 'unreachable');
    });

    it('refuses an address that is none of the web', () => {
      for (const address of ['', 'camera', 'ftp://x/y', 'file:///etc/passwd']) {
        assert.throws(() => new SnapshotSource(options(address)), { code: 'M2FP_BAD_OPTION' });
      }
    });

    it('ends with its signal, and leaves nothing open', async () => {
      const abort = new AbortController();
      camera.handler = () => abort.abort(new Error('stopped'));
      await assert.rejects(snapshot().open(abort.signal).next(), { message: 'stopped' });
    });
  });

  describe('MJPEG', () => {
    const styles: Record<string, PartStyle> = {
      'with lengths': {},
      'without lengths': { length: () => undefined },
      'with wrong lengths': { length: (image) => Math.round(image.length / 2) },
      'with lengths of far more': { length: (image) => image.length * 50 },
      'with a quoted boundary': { contentType: 'multipart/x-mixed-replace; boundary="frame"' },
      'with a boundary that has its dashes already': {
        contentType: 'multipart/x-mixed-replace;boundary=--frame',
      },
      'with another boundary than it tells': { contentType: 'multipart/x-mixed-replace; boundary=other' },
      'without a boundary told': { contentType: 'multipart/x-mixed-replace' },
      'with another type': { contentType: 'application/octet-stream' },
      'with line ends of one letter': { newline: '\n' },
      'with garbage between': { garbage: Buffer.from('\0\xff\xfe garbage \r\n--frame\r\n', 'latin1') },
    };
    for (const [name, style] of Object.entries(styles)) {
      it(`reads a stream ${name}`, async () => {
        camera.handler = (_request, response) => sendParts(response, images, style);
        assert.deepEqual(await take(mjpeg(), 3), images);
      });
    }

    it('logs in', async () => {
      camera.login = {
        account: ACCOUNT,
        challenges: (nonce) => [`Digest realm="c", nonce="${nonce}", qop="auth"`],
      };
      camera.handler = (_request, response) => sendParts(response, images);
      assert.deepEqual(await take(mjpeg({ credentials: ACCOUNT }), 3), images);
    });

    it('says that the stream has ended, in a picture or after one', async () => {
      camera.handler = async (_request, response) => {
        await sendParts(response, images);
        response.end();
      };
      assert.match(await failure(mjpeg(), 'ended'), /ended the stream\.$/);
      camera.handler = async (_request, response) => {
        await sendParts(response, images);
        response.end(images[1]!.subarray(0, 3000));
      };
      assert.match(await failure(mjpeg(), 'ended'), /in the middle of a picture/);
      camera.handler = async (_request, response) => {
        await sendParts(response, images);
        response.destroy();
      };
      await failure(mjpeg(), 'unreachable');
    });

    const faults: [name: string, reason: string, handler: CameraServer['handler']][] = [
      ['a page', 'no-picture', answer('<html>', 'text/html; charset=utf-8')],
      ['nothing', 'no-picture', answer('', 'multipart/x-mixed-replace')],
      ['garbage alone', 'no-picture', (_request, response) => void response.write(Buffer.alloc(2 ** 20, 7))],
      [
        'headers without end',
        'no-picture',
        (_request, response) => void response.write('X-A: b\r\n'.repeat(99_999)),
      ],
      [
        'a huge picture',
        'too-large',
        (_request, response) =>
          void response.write(Buffer.concat([images[1]!.subarray(0, -2), Buffer.alloc(3 * 2 ** 20)])),
      ],
    ];
    for (const [name, reason, handler] of faults) {
      it(`says what is wrong with ${name}`, async () => {
        camera.handler = handler;
        await failure(mjpeg(), reason);
      });
    }

    it('gives up a stream that stands still, or never gives a whole picture', async () => {
      const limits = { ...LIMITS, timeout: 100 };
      camera.handler = (_request, response) => sendParts(response, images);
      await failure(mjpeg({ limits }), 'timeout');
      camera.handler = (_request, response) => {
        const timer = setInterval(() => response.write(images[1]!.subarray(0, 100)), 20);
        response.on('close', () => clearInterval(timer));
      };
      await failure(mjpeg({ limits }), 'timeout');
    });

    it('ends the connection when it is left', async () => {
      const closed = Promise.withResolvers<void>();
      camera.handler = async (_request, response) => {
        response.on('close', closed.resolve);
        await sendParts(response, images);
      };
      await take(mjpeg(), 2);
      await closed.promise;
    });
  });
});
