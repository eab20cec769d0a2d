/** The login of cameras against programs of others: Apache's digest and basic, curl as a client, TLS, and a proxy. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SnapshotSource } from '../../../src/camera/http/snapshot.ts';
import type { TlsOptions } from '../../../src/camera/index.ts';
import { CameraServer } from '../../camera/support/camera-server.ts';
import { jpegOf } from '../../camera/support/jpegs.ts';
import { makeCertificate } from '../support/redis.ts';
import { requireProgram } from '../../support/programs.ts';

const ACCOUNT = { user: 'anna', password: 'p@ss: w/rd' };
const LIMITS = { timeout: 10_000, maxBytes: 2 ** 20 };
const folder = mkdtempSync(join(tmpdir(), 'm2fp-login-'));
after(() => rmSync(folder, { recursive: true }));

async function take(
  address: string,
  credentials: object = ACCOUNT,
  tls?: TlsOptions,
  count = 1,
): Promise<Buffer[]> {
  const source = new SnapshotSource({ address, credentials, limits: LIMITS, ...(tls && { tls }) });
  const taken: Buffer[] = [];
  for await (const image of source.open(new AbortController().signal)) {
    taken.push(image);
    if (taken.length === count) break;
  }
  return taken;
}

describe('the login of cameras', () => {
  let image: Buffer;
  before(async () => {
    image = await jpegOf(1);
  });

  describe("at Apache's", () => {
    let apache: ChildProcess;
    let url: string;

    before(async () => {
      const program = requireProgram('apache2', 'apache2-bin');
      for (const kind of ['digest', 'basic']) {
        mkdirSync(join(folder, 'site', kind), { recursive: true });
        writeFileSync(join(folder, 'site', kind, 'snap.jpg'), image);
      }
      const { user, password } = ACCOUNT;
      const md5 = createHash('md5').update(`${user}:cameras:${password}`).digest('hex');
      writeFileSync(join(folder, 'digests'), `${user}:cameras:${md5}\n`);
      const sha = createHash('sha1').update(password).digest('base64');
      writeFileSync(join(folder, 'passwords'), `${user}:{SHA}${sha}\n`);
      const port = await freePort();
      const modules = [
        'mpm_event',
        'authn_core',
        'authz_core',
        'authn_file',
        'authz_user',
        'auth_digest',
        'auth_basic',
      ];
      const place = (kind: string, more: string): string =>
        `<Location /${kind}>\nAuthName cameras\nRequire valid-user\n${more}\n</Location>\n`;
      writeFileSync(
        join(folder, 'apache.conf'),
        `${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so\n`).join('')}
ServerRoot ${folder}
ServerName localhost
PidFile ${folder}/apache.pid
ErrorLog ${folder}/apache.log
Listen 127.0.0.1:${port}
DocumentRoot ${folder}/site
${place('digest', `AuthType Digest\nAuthDigestDomain /\nAuthDigestNonceLifetime 1\nAuthUserFile ${folder}/digests`)}
${place('basic', `AuthType Basic\nAuthUserFile ${folder}/passwords`)}
`,
      );
      apache = spawn(program, ['-f', join(folder, 'apache.conf'), '-DFOREGROUND'], { stdio: 'ignore' });
      url = `http://127.0.0.1:${port}`;
      await answering(url, () => readFileSync(join(folder, 'apache.log'), 'utf8'));
    });
    after(async () => {
      const ended = once(apache, 'exit');
      apache.kill('SIGTERM');
      await ended;
    });

    for (const kind of ['digest', 'basic']) {
      it(`takes pictures with ${kind}`, async () => {
        assert.deepEqual(
          await take(`${url}/${kind}/snap.jpg?a=1&b=x y`, ACCOUNT, undefined, 5),
          Array(5).fill(image),
        );
      });

      it(`is refused with a wrong password: ${kind}`, async () => {
        await assert.rejects(take(`${url}/${kind}/snap.jpg`, { ...ACCOUNT, password: 'wrong' }), {
          reason: 'login',
        });
      });
    }

    it('logs in again when the nonce has grown old', async () => {
      const source = new SnapshotSource({
        address: `${url}/digest/snap.jpg`,
        credentials: ACCOUNT,
        limits: LIMITS,
      });
      const frames = source.open(new AbortController().signal);
      await frames.next();
      // A second is what the nonce lives.
      await sleep(2100);
      assert.equal((await frames.next()).done, false);
      await frames.return();
    });
  });

  it('is what curl does, too, at the server that the tests have', async () => {
    const curl = requireProgram('curl', 'curl');
    const server = await new CameraServer().start();
    server.handler = (_request, response) => void response.end(image);
    const login = `${ACCOUNT.user}:${ACCOUNT.password}`;
    for (const algorithm of ['MD5', 'SHA-256']) {
      server.login = {
        account: ACCOUNT,
        challenges: (nonce) => [`Digest realm="c", nonce="${nonce}", qop="auth", algorithm=${algorithm}`],
      };
      const child = spawn(curl, [
        '-sf',
        '--noproxy',
        '*',
        '--digest',
        '-u',
        login,
        server.url('/snap.jpg?a=1'),
      ]);
      const [code] = (await once(child, 'exit')) as [number];
      assert.equal(code, 0, algorithm);
      assert.deepEqual(await take(server.url('/snap.jpg?a=1')), [image]);
    }
    await server.stop();
  });

  it('trusts the certificates that it is given, or all where it shall', async () => {
    const { certificate, key } = makeCertificate();
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') };
    const server = await new CameraServer(tls).start();
    server.handler = (_request, response) => void response.end(image);
    const address = server.url('/snap.jpg').replace('http:', 'https:');
    await assert.rejects(take(address), { reason: 'certificate' });
    assert.deepEqual(await take(address, {}, { ca: tls.cert }), [image]);
    assert.deepEqual(await take(address, {}, { rejectUnauthorized: false }), [image]);
    await server.stop();
  });

  it('goes through the proxy that the environment names, and past it where that says so', async () => {
    const server = await new CameraServer().start();
    server.login = {
      account: ACCOUNT,
      challenges: (nonce) => [`Digest realm="c", nonce="${nonce}", qop="auth"`],
    };
    server.handler = (_request, response) => void response.end(image);
    const passed: string[] = [];
    const proxy = createServer((request, response) => {
      passed.push(request.url!);
      const { method, headers } = request;
      const onward = httpRequest(request.url!, { method: method!, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      onward.end();
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { HTTP_PROXY, NO_PROXY, http_proxy, no_proxy } = process.env;
    try {
      for (const name of ['http_proxy', 'no_proxy', 'NO_PROXY']) delete process.env[name];
      process.env['HTTP_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      assert.deepEqual(await take(server.url('/snap.jpg')), [image]);
      assert.deepEqual(passed, [server.url('/snap.jpg'), server.url('/snap.jpg')]);
      process.env['NO_PROXY'] = '127.0.0.1';
      assert.deepEqual(await take(server.url('/snap.jpg')), [image]);
      assert.equal(passed.length, 2);
    } finally {
      for (const [name, value] of Object.entries({ HTTP_PROXY, NO_PROXY, http_proxy, no_proxy })) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      proxy.closeAllConnections();
      proxy.close();
      await server.stop();
    }
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves as soon as somebody listens there. */
async function answering(url: string, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer) return;
    await sleep(100);
  }
  assert.fail(log());
}
