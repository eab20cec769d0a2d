/** deploy/notify.mjs, against servers here that stand for those of the services: curl is told where to find them. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type RequestListener,
  createServer as createHttp,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { root, temporaryFolder } from '../../support/installed-package.ts';
import { requireProgram } from '../../support/programs.ts';

const WEB_HOSTS = [
  'qyapi.weixin.qq.com',
  'oapi.dingtalk.com',
  'open.feishu.cn',
  'hooks.slack.com',
  'slack.com',
  'hook.example',
];
const MAIL_HOSTS = ['mail.example', 'smtp.qq.com'];
const TITLE = 'shop: rolled back "v2" – 回滚';
/** What all services say when they have taken a message. */
const TAKEN = '{"errcode":0,"code":0,"ok":true}';
const TEXT = 'It failed at <ready>.\nThe version before runs & answers.';

interface Request {
  host?: string;
  url?: string;
  headers: IncomingHttpHeaders;
  body: unknown;
}

interface Mail {
  user?: string;
  password?: string;
  secure: boolean;
  from: string;
  to: string[];
  head: string;
  text: string;
}

const port = (server: Server): number => (server.address() as AddressInfo).port;

describe('notify.mjs', () => {
  const folder = temporaryFolder('notify');
  const requests: Request[] = [];
  const mails: Mail[] = [];
  let answer: { status: number; body: string; headers?: OutgoingHttpHeaders } | undefined;
  const servers: Server[] = [];
  let httpPort: number;

  /** Runs it with the addresses; `seconds` is how long it took. */
  async function notify(
    urls: string,
    words = ['failure', TITLE, TEXT],
  ): Promise<{ code: number; output: string; seconds: number }> {
    const began = performance.now();
    const child = spawn(process.execPath, [join(root, 'deploy/notify.mjs'), ...words], {
      env: { PATH: process.env['PATH'], CURL_HOME: folder, NOTIFY_URLS: urls },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code] = (await once(child, 'close')) as [number];
    return { code, output, seconds: (performance.now() - began) / 1000 };
  }

  /** That the only request or mail of an address is taken, and gives it. */
  async function only<T>(list: T[], urls: string): Promise<T> {
    const { code, output } = await notify(urls);
    assert.equal(code, 0, output);
    assert.equal(list.length, 1);
    return list[0]!;
  }

  const listen: RequestListener = (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const { headers, url } = request;
      requests.push({ host: headers.host, url, headers, body: JSON.parse(text) });
      const { status, body, headers: more = {} } = answer ?? { status: 200, body: TAKEN };
      response.writeHead(status, more).end(body);
    });
  };

  function mailServer(options: SMTPServerOptions): Server {
    const server = new SMTPServer({
      ...options,
      key: readFileSync(join(folder, 'key.pem')),
      cert: readFileSync(join(folder, 'cert.pem')),
      logger: false,
      onAuth: ({ username, password }, _session, callback) =>
        password === 'p@ss word'
          ? callback(null, { user: JSON.stringify({ user: username, password }) })
          : callback(new Error('no')),
      onData(stream, { user, envelope, secure }, callback) {
        let text = '';
        stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        stream.on('end', () => {
          const [head, body] = text.split('\r\n\r\n', 2);
          mails.push({
            ...(user === undefined ? {} : (JSON.parse(user) as object)),
            secure,
            from: envelope.mailFrom ? envelope.mailFrom.address : '',
            to: envelope.rcptTo.map(({ address }) => address),
            head: head!,
            text: Buffer.from(body!, 'base64').toString(),
          });
          callback();
        });
      },
    });
    // A client that hangs up is none of our errors.
    server.on('error', () => {});
    server.listen(0, '127.0.0.1');
    return server.server;
  }

  before(async () => {
    requireProgram('curl', 'curl');
    requireProgram('openssl', 'openssl');
    const names = [...WEB_HOSTS, ...MAIL_HOSTS].map((host) => `DNS:${host}`).join(',');
    execFileSync(
      'openssl',
      `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=${names} -keyout key.pem -out cert.pem`.split(
        ' ',
      ),
      { cwd: folder, stdio: 'ignore' },
    );
    const tls = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) };
    const web = createHttps(tls, listen).listen(0, '127.0.0.1');
    const plain = createHttp(listen).listen(0, '127.0.0.1');
    const starttls = mailServer({});
    const ssl = mailServer({ secure: true });
    const open = mailServer({ hideSTARTTLS: true, authOptional: true });
    servers.push(web, plain, starttls, ssl, open);
    for (const server of servers) if (!server.listening) await once(server, 'listening');
    httpPort = port(plain);
    const routes = [
      ...WEB_HOSTS.map((host) => `${host}:443:127.0.0.1:${port(web)}`),
      `mail.example:587:127.0.0.1:${port(starttls)}`,
      `smtp.qq.com:465:127.0.0.1:${port(ssl)}`,
      `mail.example:25:127.0.0.1:${port(open)}`,
    ];
    writeFileSync(
      join(folder, '.curlrc'),
      [`cacert = "${join(folder, 'cert.pem')}"`, ...routes.map((route) => `connect-to = "${route}"`)].join(
        '\n',
      ),
    );
  });
  after(() => {
    for (const server of servers) server.close();
  });
  beforeEach(() => {
    requests.length = 0;
    mails.length = 0;
    answer = undefined;
  });

  /** The subject of a mail, out of words that are no longer than RFC 2047 allows. */
  function subjectOf(head: string): string {
    const [, subject = ''] = /^Subject: ((?:.*\r\n )*.*)\r$/m.exec(head) ?? [];
    return subject
      .split('\r\n ')
      .map((word) => {
        assert.ok(word.length <= 75, word);
        return Buffer.from(/^=\?UTF-8\?B\?(.*)\?=$/.exec(word)![1]!, 'base64').toString();
      })
      .join('');
  }

  it('tells a WeCom group', async () => {
    const { host, url, body } = await only(requests, 'wecombot://Ab-1_k3y');
    assert.deepEqual([host, url], ['qyapi.weixin.qq.com', '/cgi-bin/webhook/send?key=Ab-1_k3y']);
    assert.deepEqual(body, { msgtype: 'text', text: { content: `${TITLE}\n${TEXT}` } });
  });

  it('cuts what is longer than a chat takes, between characters', async () => {
    const long = '人'.repeat(2000);
    assert.equal((await notify('wecombot://k3y', ['failure', TITLE, long])).code, 0);
    const { content } = (requests[0]!.body as { text: { content: string } }).text;
    assert.ok(Buffer.byteLength(content) <= 2048 && Buffer.byteLength(content) > 2040);
    assert.match(content, /人 …$/);
    assert.ok(!content.includes('\uFFFD'));
  });

  it('says which address lacks its key', async () => {
    for (const url of ['wecombot://', 'dingtalk://', 'feishu://', 'slack://A/B']) {
      const { code, output } = await notify(url);
      assert.equal(code, 1, url);
      assert.match(output, /the address is not right: it has no (key|token|webhook)/, url);
    }
    assert.equal(requests.length, 0);
  });

  it('folds a long title into words that mail allows', async () => {
    const title = `${'部署失败 '.repeat(20)}🙂`;
    assert.equal((await notify('mailtos://me:p%40ss%20word@mail.example', ['failure', title, TEXT])).code, 0);
    assert.equal(subjectOf(mails[0]!.head), title);
  });

  it('tells a DingTalk group, signed where there is a secret', async () => {
    const { host, url, body } = await only(requests, 'dingtalk://SECx%2By@tok3n/13800000000');
    assert.equal(host, 'oapi.dingtalk.com');
    const { pathname, searchParams } = new URL(url!, 'https://x');
    const { access_token, timestamp, sign } = Object.fromEntries(searchParams);
    assert.deepEqual([pathname, access_token], ['/robot/send', 'tok3n']);
    assert.ok(Math.abs(Date.now() - Number(timestamp)) < 60_000);
    // As DingTalk's page on signatures computes it.
    assert.equal(sign, createHmac('sha256', 'SECx+y').update(`${timestamp}\nSECx+y`).digest('base64'));
    assert.deepEqual(body, {
      msgtype: 'text',
      text: { content: `${TITLE}\n${TEXT}` },
      at: { atMobiles: ['13800000000'], isAtAll: false },
    });
    requests.length = 0;
    assert.equal((await only(requests, 'dingtalk://tok3n')).url, '/robot/send?access_token=tok3n');
  });

  it('tells a Feishu group', async () => {
    const { host, url, body } = await only(requests, 'feishu://a1-b2');
    assert.deepEqual([host, url], ['open.feishu.cn', '/open-apis/bot/v2/hook/a1-b2']);
    assert.deepEqual(body, { msg_type: 'text', content: { text: `${TITLE}\n${TEXT}` } });
  });

  it('tells Slack by webhook and by bot', async () => {
    const text = `${TITLE}\n${TEXT}`.replace('&', '&amp;').replace('<ready>', '&lt;ready&gt;');
    answer = { status: 200, body: 'ok' };
    const hook = await only(requests, 'slack://T1/B2/c3/#ops');
    assert.deepEqual([hook.host, hook.url], ['hooks.slack.com', '/services/T1/B2/c3']);
    assert.deepEqual(hook.body, { text, channel: '#ops' });
    requests.length = 0;
    answer = undefined;
    // In pieces: whole, it would look like a token of somebody's.
    const token = ['xoxb', 1, 2].join('-');
    const bot = await only(requests, `slack://${token}/#ops`);
    assert.deepEqual([bot.host, bot.url], ['slack.com', '/api/chat.postMessage']);
    assert.equal(bot.headers.authorization, `Bearer ${token}`);
    assert.deepEqual(bot.body, { text, channel: '#ops' });
  });

  it('tells a program of yours, with HTTP and HTTPS', async () => {
    const body = { version: '1.0', title: TITLE, message: TEXT, attachments: [], type: 'failure' };
    const plain = await only(requests, `json://me:p%40ss@127.0.0.1:${httpPort}/a/b?+X-Token=1%2B1`);
    assert.deepEqual([plain.url, plain.body], ['/a/b', body]);
    assert.equal(plain.headers.authorization, `Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    assert.equal(plain.headers['x-token'], '1+1');
    requests.length = 0;
    assert.equal((await only(requests, 'jsons://hook.example/x')).host, 'hook.example');
  });

  it('sends mail with STARTTLS, to several people', async () => {
    const mail = await only(
      mails,
      'mailtos://me:p%40ss%20word@mail.example/a@x.example?to=b@x.example,c@x.example&bcc=d@x.example&name=Deploys',
    );
    const { head, ...rest } = mail;
    assert.deepEqual(rest, {
      user: 'me',
      password: 'p@ss word',
      secure: true,
      from: 'me@mail.example',
      to: ['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example'],
      text: TEXT,
    });
    assert.match(head, /^To: a@x\.example, b@x\.example, c@x\.example\r$/m);
    assert.doesNotMatch(head, /d@x/);
    assert.equal(subjectOf(head), TITLE);
  });

  it('sends mail without a text, too', async () => {
    const { code, output } = await notify('mailto://mail.example/a@x.example?from=ci@x.example', [
      'info',
      TITLE,
    ]);
    assert.equal(code, 0, output);
    assert.deepEqual(
      mails.map(({ text }) => text),
      [''],
    );
  });

  it('knows the servers of well-known mail services', async () => {
    const { user, from, to } = await only(mails, 'mailtos://123456:p%40ss%20word@qq.com');
    assert.deepEqual([user, from, to], ['123456@qq.com', '123456@qq.com', ['123456@qq.com']]);
  });

  it('sends mail without encryption only where it is told to', async () => {
    const { secure, from } = await only(mails, 'mailto://mail.example/a@x.example?from=ci@x.example');
    assert.deepEqual([secure, from], [false, 'ci@x.example']);
    const { code } = await notify('mailtos://me:x@mail.example:25/a@x.example');
    assert.equal(code, 1);
    assert.equal(mails.length, 1);
  });

  it('tells all that are listed, each once, whatever becomes of the others', async () => {
    answer = { status: 200, body: '{"errcode":0}' };
    const { code, output } = await notify(
      `wecombot://k3y,dingtalk://tok3n\n json://127.0.0.1:1/x nonsense  json://127.0.0.1:${httpPort}/y`,
    );
    assert.equal(code, 1);
    assert.deepEqual(requests.map(({ url }) => url!.split('?', 1)[0]!).toSorted(), [
      '/cgi-bin/webhook/send',
      '/robot/send',
      '/y',
    ]);
    for (const kind of ['wecombot', 'dingtalk', 'json'])
      assert.match(output, new RegExp(`^Told ${kind}\\.$`, 'm'));
    assert.match(output, /^Could not tell json \(number 3 of NOTIFY_URLS\): /m);
    assert.match(output, /^NOTIFY_URLS, number 4: none of wecombot, /m);
  });

  it('notices what a service refuses, in its status or in its words', async () => {
    answer = { status: 200, body: '{"errcode":93000,"errmsg":"invalid webhook url"}' };
    assert.match((await notify('wecombot://k3y')).output, /: the service answered with error 93000$/m);
    answer = { status: 200, body: '<html>' };
    assert.match((await notify('feishu://k3y')).output, /: the service answered with something else$/m);
    answer = { status: 404, body: 'no_service' };
    assert.match((await notify('slack://T1/B2/c3')).output, /404/);
    answer = { status: 302, body: TAKEN, headers: { location: `http://127.0.0.1:${httpPort}/elsewhere` } };
    for (const url of [`json://127.0.0.1:${httpPort}/x`, 'wecombot://k3y']) {
      const { code, output } = await notify(url);
      assert.equal(code, 1);
      assert.match(output, /: the service answered with status 302$/m);
    }
    assert.ok(requests.every(({ url }) => url !== '/elsewhere'));
  });

  it('takes no address with line breaks in it, which would begin headers of their own', async () => {
    for (const url of [
      `json://127.0.0.1:${httpPort}/x?+X-Key=a%0d%0aX-Other:%20b`,
      `json://127.0.0.1:${httpPort}/x?+X-Key%0aX-Other=b`,
      `json://u%0d:p@127.0.0.1:${httpPort}/x`,
      'mailto://mail.example/a@x.example?from=ci@x.example%0d%0aBcc:%20b@x.example',
      'mailto://mail.example/a@x.example%0aBcc:%20b@x.example?from=ci@x.example',
      'mailto://me%0d%0a:x@mail.example/a@x.example',
    ]) {
      const { code, output } = await notify(url);
      assert.equal(code, 1, url);
      assert.match(output, /: the address is not right: line breaks in it\n$/, url);
    }
    assert.deepEqual([requests, mails], [[], []]);
  });

  it('never waits longer than it says', async () => {
    const silent = createHttp(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    servers.push(silent);
    const urls = [1, 2, 3].map((i) => `json://127.0.0.1:${port(silent)}/${i}`).join(' ');
    const { code, seconds } = await notify(urls);
    silent.closeAllConnections();
    assert.equal(code, 1);
    assert.ok(seconds < 20, `${seconds} s`);
  }).timeout(60_000);

  it('prints nothing of an address but its kind', async () => {
    answer = { status: 500, body: 's3cret-1 s3cret-2' };
    const { output } = await notify(
      [
        'wecombot://s3cret-1',
        'dingtalk://s3cret-2@s3cret-3',
        'slack://s3cret4/s3cret5/s3cret6',
        'slack://xoxb-s3cret',
        `json://u:s3cret-7@127.0.0.1:${httpPort}/s3cret-8?+A=s3cret-9`,
        'mailtos://u:s3cret-10@mail.example',
        'mailtos://u:s3cret%@mail.example',
        'json://u:s3cret@:x/',
        's3cret://x',
        'json://s3cret-host.invalid/x',
        'json://127.0.0.1:1/x',
        'mailto://127.0.0.1:1/a@x.example',
        `jsons://127.0.0.1:${httpPort}/x`,
      ].join(' '),
    );
    assert.equal(output.trim().split('\n').length, 13);
    assert.doesNotMatch(output, /s3cret|127\.0\.0\.1|mail\.example|port/);
  });
});
