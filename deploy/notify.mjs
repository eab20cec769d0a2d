#!/usr/bin/env node
/**
 * Tells people how a deploy ended. Needs Node.js 18 or newer and curl, nothing else.
 *
 *   NOTIFY_URLS='wecombot://KEY mailtos://me:password@example.com' deploy/notify.mjs success 'Title' 'Text'
 *
 * NOTIFY_URLS holds addresses in Apprise's syntax (https://github.com/caronc/apprise/wiki), with blanks, commas or line
 * breaks between them; in user names, passwords and so on everything special is percent-encoded (`@` is `%40`):
 *
 *   wecombot://KEY                          a bot of a WeCom group
 *   dingtalk://[SECRET@]TOKEN[/PHONE/...]   a robot of a DingTalk group; SECRET when it wants signatures
 *   feishu://TOKEN                          a bot of a Feishu group
 *   slack://A/B/C[/#channel]                a webhook of Slack, or slack://xoxb-TOKEN/#channel
 *   mailtos://USER:PASSWORD@DOMAIN[:PORT][/TO/...][?smtp=HOST&from=&name=&to=&cc=&bcc=&user=&mode=starttls|ssl]
 *   mailto://...                            the same without encryption
 *   json://[USER:PASSWORD@]HOST[:PORT]/PATH[?+Header=value]   your own program; jsons:// for HTTPS
 *
 * All are told at the same time, each once, within 10 seconds. One line for each says whether it took it; no line holds
 * anything out of an address but its kind. The exit code is 1 when somebody was not reached.
 */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Seconds for one service, with everything. */
const PATIENCE = 10;
/** Bytes of a message in a chat: WeCom takes no more in a text. */
const MOST_BYTES = 2048;
/** Mail services whose server has another name than the domain, or another way in. */
const MAIL_SERVICES = {
  'gmail.com': { smtp: 'smtp.gmail.com' },
  'outlook.com': { smtp: 'smtp-mail.outlook.com' },
  'hotmail.com': { smtp: 'smtp-mail.outlook.com' },
  'qq.com': { smtp: 'smtp.qq.com', mode: 'ssl' },
  'foxmail.com': { smtp: 'smtp.qq.com', mode: 'ssl' },
  '163.com': { smtp: 'smtp.163.com', mode: 'ssl' },
  '126.com': { smtp: 'smtp.126.com', mode: 'ssl' },
};
const MAIL_PORTS = { starttls: 587, ssl: 465, insecure: 25 };

const list = (text) => (text ?? '').split(/[\s,]+/).filter(Boolean);
/** Why something is not told; other errors may hold parts of an address. */
class Trouble extends Error {}
/** What an address says, decoded. Line breaks in it would begin headers of their own. */
function plain(text) {
  if (/[\r\n\0]/.test(text)) throw new Trouble('the address is not right: line breaks in it');
  return text;
}
const decoded = (text) => plain(decodeURIComponent(text));
const path = (url) => url.pathname.split('/').filter(Boolean).map(decoded);
/** `url.searchParams` would take `+` for a blank, and Apprise does not. */
const query = (url) =>
  [...new URLSearchParams(url.search.replaceAll('+', '%2B'))].map((pair) => pair.map(plain));

/** No more than a chat takes, cut between characters. */
function shortened(text) {
  if (Buffer.byteLength(text) <= MOST_BYTES) return text;
  const mark = ' …';
  const cut = Buffer.from(text).subarray(0, MOST_BYTES - Buffer.byteLength(mark));
  // Half a character at the end becomes U+FFFD.
  return cut.toString().replace(/\uFFFD*$/, '') + mark;
}
/** What has to be in an address: without it the service would be told nothing. */
function required(text, what) {
  if (text === '') throw new Trouble(`the address is not right: it has no ${what}`);
  return text;
}

/** How to post JSON, as options of curl's configuration file. */
const post = (url, body, headers = []) => [
  ['url', url],
  ['header', 'Content-Type: application/json; charset=utf-8'],
  ...headers.map((header) => ['header', header]),
  ['data-raw', JSON.stringify(body)],
];

/** The services: an address and a message to what curl has to send, and how the answer says that it was taken. */
const SERVICES = {
  wecombot: {
    request: (url, { text }) =>
      post(`https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${required(url.hostname, 'key')}`, {
        msgtype: 'text',
        text: { content: text },
      }),
    code: (answer) => JSON.parse(answer).errcode,
  },
  dingtalk: {
    request(url, { text }) {
      const secret = decoded(url.username);
      const parameters = new URLSearchParams({ access_token: required(url.hostname, 'token') });
      if (secret !== '') {
        const timestamp = String(Date.now());
        parameters.set('timestamp', timestamp);
        parameters.set(
          'sign',
          createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64'),
        );
      }
      return post(`https://oapi.dingtalk.com/robot/send?${parameters}`, {
        msgtype: 'text',
        text: { content: text },
        at: { atMobiles: path(url), isAtAll: false },
      });
    },
    code: (answer) => JSON.parse(answer).errcode,
  },
  feishu: {
    request: (url, { text }) =>
      post(`https://open.feishu.cn/open-apis/bot/v2/hook/${required(url.hostname, 'token')}`, {
        msg_type: 'text',
        content: { text },
      }),
    code: (answer) => JSON.parse(answer).code,
  },
  slack: {
    request(url, { text }) {
      const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      const channel = url.hash.replace(/\/$/, '');
      if (url.hostname.startsWith('xox'))
        return post('https://slack.com/api/chat.postMessage', { channel, text: escaped }, [
          `Authorization: Bearer ${url.hostname}`,
        ]);
      const parts = [url.hostname, ...path(url).slice(0, 2)].filter(Boolean);
      required(parts[2] ?? '', 'webhook (A/B/C)');
      const body = { text: escaped, ...(channel === '' ? {} : { channel }) };
      return post(`https://hooks.slack.com/services/${parts.join('/')}`, body);
    },
    code: (answer) => (answer === 'ok' ? 0 : JSON.parse(answer).ok ? 0 : JSON.parse(answer).error),
  },
  mailto: { request: mail, code: () => 0 },
  mailtos: { request: mail, code: () => 0 },
  json: { request: json, code: () => 0 },
  jsons: { request: json, code: () => 0 },
};

function json(url, { title, body, type }) {
  const headers = query(url).flatMap(([name, value]) =>
    name.startsWith('+') ? [`${name.slice(1)}: ${value}`] : [],
  );
  const scheme = url.protocol === 'jsons:' ? 'https' : 'http';
  return [
    ...post(
      `${scheme}://${url.host}${url.pathname}`,
      { version: '1.0', title, message: body, attachments: [], type },
      headers,
    ),
    ...(url.username === '' ? [] : [['user', `${decoded(url.username)}:${decoded(url.password)}`]]),
  ];
}

function mail(url, { title, body, file }) {
  const options = Object.fromEntries(query(url));
  const known = MAIL_SERVICES[url.hostname] ?? {};
  const name = decoded(url.username);
  const address = name.includes('@') || name === '' ? name : `${name}@${url.hostname}`;
  const from = options.from ?? address;
  const to = [...path(url), ...list(options.to)];
  if (to.length === 0) to.push(from);
  const cc = list(options.cc);
  const mode =
    url.protocol === 'mailto:' ? 'insecure' : (options.mode ?? known.mode ?? 'starttls').toLowerCase();
  if (MAIL_PORTS[mode] === undefined) throw new Trouble('mode must be starttls or ssl');
  const server = `${options.smtp ?? known.smtp ?? url.hostname}:${url.port || MAIL_PORTS[mode]}`;
  // Words of at most 75 characters (RFC 2047): 45 bytes, between characters.
  const encoded = (text) =>
    (text.match(/.{1,11}/gsu) ?? [''])
      .map((piece) => `=?UTF-8?B?${Buffer.from(piece).toString('base64')}?=`)
      .join('\r\n ');
  writeFileSync(
    file,
    [
      `From: ${encoded(options.name ?? 'Deploy')} <${from}>`,
      `To: ${to.join(', ')}`,
      ...(cc.length === 0 ? [] : [`Cc: ${cc.join(', ')}`]),
      `Subject: ${encoded(title)}`,
      `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      ...(Buffer.from(body)
        .toString('base64')
        .match(/.{1,76}/g) ?? []),
      '',
    ].join('\r\n'),
  );
  const user = options.user ?? (known.smtp === undefined ? name : address);
  return [
    ['url', `${mode === 'ssl' ? 'smtps' : 'smtp'}://${server}`],
    ...(mode === 'starttls' ? [['ssl-reqd']] : []),
    ['mail-from', from],
    ...[...to, ...cc, ...list(options.bcc)].map((one) => ['mail-rcpt', one]),
    ...(url.password === '' ? [] : [['user', `${user}:${decoded(url.password)}`]]),
    ['upload-file', file],
  ];
}

/** What went wrong, by the code that curl ends with. Its own words would name the host. */
const CURL_TROUBLE = {
  6: 'the host is not known',
  7: 'the host takes no connection',
  28: `no answer within ${PATIENCE} seconds`,
  35: 'no encrypted connection',
  60: 'the certificate is not trusted',
  64: 'the host encrypts nothing',
  67: 'user or password is wrong',
};

/** What curl says on standard error at its end. */
const STATUS_LINE = '%{stderr}status %{http_code}';

/** Runs curl with its options on standard input, where `ps` does not show them. Gives what the service answered. */
async function curl(options) {
  const quoted = (text) => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
  const lines = options.map(([name, value]) => (value === undefined ? name : `${name} = ${quoted(value)}`));
  const child = spawn(
    'curl',
    ['--silent', '--max-time', String(PATIENCE), '--write-out', STATUS_LINE, '--config', '-'],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let answer = '';
  let report = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (answer += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (report += text));
  child.stdin.on('error', () => {}); // curl is gone: its end tells why
  child.stdin.end(lines.join('\n'));
  const code = await new Promise((resolve, reject) => {
    child.on('error', () => reject(new Trouble('curl cannot be started: install it'))).on('close', resolve);
  });
  const status = Number(/status (\d+)$/.exec(report)?.[1] ?? 0);
  const last = status === 0 ? '' : `, the last answer was ${status}`;
  if (code !== 0) throw new Trouble(CURL_TROUBLE[code] ?? `curl ended with ${code}${last}`);
  // A redirection is no answer: nobody there has read the message.
  const isWeb = options.some(([name, value]) => name === 'url' && value.startsWith('http'));
  if (isWeb && (status < 200 || status > 299))
    throw new Trouble(`the service answered with status ${status}`);
  return answer;
}

/** Tells one address; gives the line about it. */
async function tell(address, number, message, folder) {
  const kind = /^([a-z]+):\/\//.exec(address)?.[1];
  const service = Object.hasOwn(SERVICES, kind ?? '') ? SERVICES[kind] : undefined;
  if (service === undefined)
    return {
      failed: true,
      line: `NOTIFY_URLS, number ${number}: none of ${Object.keys(SERVICES).join(', ')}`,
    };
  try {
    const file = join(folder, String(number));
    const options = service.request(new URL(address), { ...message, file });
    const code = service.code(await curl(options));
    if (code !== 0) throw new Trouble(`the service answered with error ${code}`);
    return { failed: false, line: `Told ${kind}.` };
  } catch (error) {
    // Errors of others hold the address, or the answer.
    const reason =
      error instanceof Trouble
        ? error.message
        : error instanceof SyntaxError
          ? 'the service answered with something else'
          : 'the address is not right';
    return { failed: true, line: `Could not tell ${kind} (number ${number} of NOTIFY_URLS): ${reason}` };
  }
}

const [type, title, body = ''] = process.argv.slice(2);
if (!['success', 'failure', 'info', 'warning'].includes(type) || title === undefined) {
  console.error('Usage: NOTIFY_URLS=... notify.mjs success|failure|info|warning TITLE [TEXT]');
  process.exit(2);
}
const addresses = (process.env.NOTIFY_URLS ?? '').split(/[\s,]+(?=[a-z]+:\/\/)|\s+/).filter(Boolean);
const folder = mkdtempSync(join(tmpdir(), 'notify-'));
try {
  const message = { type, title, body, text: shortened(`${title}\n${body}`.trim()) };
  const told = await Promise.all(addresses.map((address, i) => tell(address, i + 1, message, folder)));
  for (const { failed, line } of told) (failed ? console.error : console.log)(line);
  if (told.some(({ failed }) => failed)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
