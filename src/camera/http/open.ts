/** One GET request to a camera: logs in, follows redirects, goes through the proxy of the environment, and is given up in time. */
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { M2fpError } from '../../errors.ts';
import { proxyAgent, proxyFor } from '../../proxy.ts';
import { CameraError } from '../camera-error.ts';
import { shownAddress } from '../secrets.ts';
import type { Login } from './login.ts';

const MAX_REDIRECTS = 5;
/** By `Content-Encoding`; each part is given on as soon as it is there. */
const UNPACK: Readonly<Record<string, () => Readable & NodeJS.WritableStream>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Answers to challenges for one request: the first, and one for a nonce that has grown old. */
const MAX_LOGINS = 2;

/** Of `tls.connect`, as far as a user may set it: certificates, key, and whether the server's certificate is checked. */
export type TlsOptions = SecureContextOptions & { rejectUnauthorized?: boolean; servername?: string };

export interface HttpOptions {
  signal: AbortSignal;
  /** Milliseconds until the answer begins, and without a byte of it. */
  timeout: number;
  login: Login;
  tls?: TlsOptions;
}

export interface HttpAnswer {
  headers: IncomingHttpHeaders;
  /** Ends the connection when it is left. @throws {CameraError} where it breaks or stalls; the signal's reason */
  body: AsyncGenerator<Buffer, void>;
  /** Ends the connection without reading on. */
  discard(): void;
}

/**
 * Asks for `address`. Credentials go to its own host only: where a redirect leads to another one, it is asked without.
 * @throws {CameraError} for every answer other than 200, and where there is none; the signal's reason
 */
export async function openHttp(address: URL, options: HttpOptions): Promise<HttpAnswer> {
  let url = withoutLogin(address);
  let logins = 0;
  for (let redirects = 0; redirects <= MAX_REDIRECTS;) {
    const isOwn = url.host === address.host;
    const authorization = isOwn ? options.login.header('GET', url.pathname + url.search) : undefined;
    const response = await send(url, authorization, options);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) {
      return {
        headers,
        body: readBody(response, unpacked(response, url), url, options),
        discard: () => void response.destroy(),
      };
    }
    response.destroy();
    if (REDIRECTS.has(statusCode) && headers.location !== undefined) {
      url = redirectTarget(url, headers.location);
      redirects++;
    } else if (
      statusCode === 401 &&
      isOwn &&
      logins < MAX_LOGINS &&
      options.login.learn(headers['www-authenticate'], authorization !== undefined)
    ) {
      logins++;
    } else throw refusal(statusCode, url, isOwn);
  }
  throw new CameraError(
    'refused',
    `${shownAddress(address.href)} redirects more than ${MAX_REDIRECTS} times.`,
  );
}

function withoutLogin(address: URL): URL {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

function redirectTarget(url: URL, location: string): URL {
  const next = URL.parse(location, url.href);
  if (next === null || !/^https?:$/.test(next.protocol)) {
    throw new CameraError('refused', `${shownAddress(url.href)} redirects to what is no web address.`);
  }
  if (url.protocol === 'https:' && next.protocol === 'http:') {
    throw new CameraError(
      'refused',
      `${shownAddress(url.href)} redirects to ${shownAddress(next.href)}, which is not encrypted: refused.`,
    );
  }
  return withoutLogin(next);
}

function refusal(status: number, url: URL, isOwn: boolean): CameraError {
  const place = shownAddress(url.href);
  if (!isOwn && (status === 401 || status === 403)) {
    return new CameraError(
      'login',
      `The camera redirects to ${place}, which wants a login (status ${status}): enter that address itself.`,
    );
  }
  if (status === 401 || status === 403) {
    return new CameraError(
      'login',
      `${place} refuses the login (status ${status}): check user, password or token, and whether that user may see pictures.`,
    );
  }
  if (status === 404) {
    return new CameraError('refused', `${place} is not there (status 404): check the address.`);
  }
  if (status === 407) {
    return new CameraError(
      'refused',
      `The proxy on the way to ${place} wants a login: give it in HTTP_PROXY.`,
    );
  }
  return new CameraError('refused', `${place} answered with status ${status}.`);
}

async function send(
  url: URL,
  authorization: string | undefined,
  { signal, timeout, tls = {} }: HttpOptions,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const proxy = proxyFor(url, 'M2FP_CAMERA_OFFLINE');
  const isSecure = url.protocol === 'https:';
  const request = (isSecure ? https : http).get(url, {
    agent: proxy === undefined ? false : proxyAgent(url, proxy, tls),
    signal,
    ...(isSecure && tls),
    headers: {
      accept: 'image/*, multipart/x-mixed-replace, */*;q=0.5',
      'user-agent': 'm2fp-camera',
      ...(authorization !== undefined && { authorization }),
    },
  });
  const timer = setTimeout(() => request.destroy(late(url, timeout)), timeout);
  try {
    return await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', (response) => {
        // Without a reader an error of the body would be nobody's.
        response.on('error', () => {});
        resolve(response);
      });
      // Stays on for the time after the response.
      request.on('error', reject);
    });
  } catch (error) {
    throw signal.aborted ? signal.reason : described(error, url, proxy);
  } finally {
    clearTimeout(timer);
  }
}

/** What the answer is of; it is not asked to be packed, but some servers do so all the same. */
function unpacked(response: IncomingMessage, url: URL): Readable {
  const packing = response.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (packing === '' || packing === 'identity') return response;
  const unpack = UNPACK[packing];
  if (unpack === undefined) {
    response.destroy();
    throw new CameraError(
      'no-picture',
      `${shownAddress(url.href)} packs its answer in a way that cannot be read (Content-Encoding): switch that off there.`,
    );
  }
  const body = unpack();
  // Their errors come to the reader of the last one.
  pipeline(response, body, () => {});
  return body;
}

async function* readBody(
  response: IncomingMessage,
  body: Readable,
  url: URL,
  { signal, timeout }: HttpOptions,
): AsyncGenerator<Buffer, void> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const timer = setTimeout(() => response.destroy(late(url, timeout)), timeout);
      const { done, value } = await chunks
        .next()
        .catch((error: unknown) => {
          throw signal.aborted ? signal.reason : described(error, url, undefined);
        })
        .finally(() => clearTimeout(timer));
      if (done === true) return;
      yield value;
    }
  } finally {
    response.destroy();
    body.destroy();
  }
}

function late(url: URL, timeout: number): CameraError {
  return new CameraError('timeout', `${url.host} sent nothing for ${timeout / 1000} s.`);
}

function described(error: unknown, url: URL, proxy: URL | undefined): Error {
  if (error instanceof M2fpError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const place = proxy === undefined ? url.host : `${url.host} through the proxy ${proxy.host}`;
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return new CameraError(
      'certificate',
      `The certificate of ${place} is not trusted (${code}). Choose a TLS configuration with the certificate, or one that ` +
        'does not verify it.',
    );
  }
  if (/SSL|TLS|EPROTO/.test(code)) {
    return new CameraError(
      'certificate',
      `${place} does not speak TLS: check http:// and https:// in the address.`,
    );
  }
  if (/^(?:Z_|ERR__|ERR_BROTLI)/.test(code)) {
    return new CameraError('no-picture', `${place} does not pack its answer as it says (${code}).`);
  }
  if (code.startsWith('HPE_')) {
    return new CameraError('no-picture', `What ${place} answers is no HTTP (${code}).`);
  }
  // Of the system: it names address and port, and nothing of the request.
  return new CameraError('unreachable', `${place} cannot be reached, or broke off (${code || message}).`);
}
