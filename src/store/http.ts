/** One GET request: through the proxy of the environment, after redirects, given up where nothing arrives. */
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Clock } from '../clock.ts';
import { M2fpError } from '../errors.ts';
import { proxyAgent, proxyFor } from '../proxy.ts';
import { TransientError } from './retry.ts';

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface RequestOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Milliseconds without a byte after which the connection is given up. */
  stallTime: number;
  userAgent: string;
}

/** A response whose body has not been read. Read `body` to its end or call `discard`. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Where it came from, after redirects. */
  url: URL;
  /** @throws TransientError where the connection breaks or stalls */
  body: AsyncIterable<Buffer>;
  discard(): void;
}

/** An address for messages: without the credentials and signatures that it may carry. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/**
 * Sends a GET request and follows redirects, from https to https only. The proxy comes from HTTPS_PROXY,
 * HTTP_PROXY, ALL_PROXY and NO_PROXY, in upper or lower case.
 * @throws TransientError where the network or the server failed; M2fpError M2FP_DOWNLOAD_FAILED where trying
 *   again would not help; the signal's reason
 */
export async function get(
  address: URL,
  headers: Record<string, string>,
  options: RequestOptions,
): Promise<Answer> {
  let url = address;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await send(url, headers, options);
    const { location } = answer.headers;
    if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
    answer.discard();
    url = redirectTarget(url, location);
  }
  throw failed(`${shownUrl(address)} redirects more than ${MAX_REDIRECTS} times`);
}

/**
 * Where a redirect leads.
 * @throws M2fpError M2FP_DOWNLOAD_FAILED where that is no web address, or an unencrypted one after an encrypted one
 */
export function redirectTarget(url: URL, location: string): URL {
  const next = URL.parse(location, url.href);
  if (next === null || !/^https?:$/.test(next.protocol)) {
    throw failed(`${shownUrl(url)} redirects to an address that makes no sense: ${location.slice(0, 200)}`);
  }
  if (url.protocol === 'https:' && next.protocol === 'http:') {
    throw failed(`${shownUrl(url)} redirects to ${shownUrl(next)}, which is not encrypted: refused`);
  }
  return next;
}

async function send(url: URL, headers: Record<string, string>, options: RequestOptions): Promise<Answer> {
  const { signal, userAgent } = options;
  signal.throwIfAborted();
  const proxy = proxyFor(url, 'M2FP_DOWNLOAD_FAILED');
  const request = (url.protocol === 'https:' ? https : http).get(url, {
    agent: proxy === undefined ? false : proxyAgent(url, proxy),
    signal,
    // Compressed answers could not be resumed, nor be compared with the size of the file.
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': userAgent, ...headers },
  });
  let arriving: IncomingMessage | undefined;
  const watch = new StallWatch(options, url, (error) => (arriving ?? request).destroy(error));
  const explain = (error: unknown) => (signal.aborted ? signal.reason : describe(error, url, proxy));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    watch.arm();
    request.once('response', resolve);
    // Stays on for the time after the response: an error then reaches the reader of the body too.
    request.on('error', reject);
  }).catch((error: unknown) => {
    watch.disarm();
    throw explain(error);
  });
  watch.disarm();
  arriving = response;
  // Without a reader an error of the body would be nobody's.
  response.on('error', () => {});
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    url,
    body: read(response, watch, explain),
    discard: () => response.destroy(),
  };
}

async function* read(
  response: IncomingMessage,
  watch: StallWatch,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Buffer, void> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      watch.arm();
      const { done, value } = await chunks.next().catch((error: unknown) => {
        throw explain(error);
      });
      watch.disarm();
      if (done === true) return;
      yield value;
    }
  } finally {
    watch.disarm();
    response.destroy();
  }
}

/** Ends a request on which nothing arrives; armed only while something is waited for. */
class StallWatch {
  readonly #options: RequestOptions;
  readonly #url: URL;
  readonly #end: (error: Error) => void;
  #disarm: () => void = () => {};

  constructor(options: RequestOptions, url: URL, end: (error: Error) => void) {
    this.#options = options;
    this.#url = url;
    this.#end = end;
  }

  arm(): void {
    const { clock, stallTime } = this.#options;
    const timer = clock.after(stallTime, () => {
      this.#end(new TransientError(`${this.#url.host} sent nothing for ${stallTime / 1000} s`));
    });
    this.#disarm = () => timer.cancel();
  }

  disarm(): void {
    this.#disarm();
  }
}

/** The error with what to do about it; certificates do not get better by trying again. */
function describe(error: unknown, url: URL, proxy: URL | undefined): Error {
  if (error instanceof TransientError || error instanceof M2fpError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const via = proxy === undefined ? '' : ` through the proxy ${proxy.host}`;
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return failed(
      `The certificate of ${url.host}${via} is not trusted (${message}). Where a proxy of your network opens ` +
        'encrypted connections, give its certificate in the environment variable NODE_EXTRA_CA_CERTS',
      error,
    );
  }
  if (/SSL|TLS|EPROTO/.test(code)) {
    return failed(
      `${url.host}${via} does not speak TLS as it should (${message.trim()}). Check whether the addresses of the ` +
        'server and of the proxy begin with http:// or https://',
      error,
    );
  }
  const advice = [
    'ENOTFOUND',
    'EAI_AGAIN',
    'ECONNREFUSED',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ETIMEDOUT',
  ].includes(code)
    ? '; check the network, the address, and the proxy in HTTPS_PROXY or HTTP_PROXY'
    : '';
  return new TransientError(`The connection to ${url.host}${via} failed (${message || code}${advice})`, {
    cause: error,
  });
}

function failed(message: string, cause?: unknown): M2fpError {
  return new M2fpError('M2FP_DOWNLOAD_FAILED', message, { cause });
}

/** What a status that brings no file means, as the error to throw. `what` begins the message. */
export function statusError(answer: Pick<Answer, 'status' | 'headers' | 'url'>, what: string): Error {
  const { status, headers, url } = answer;
  const place = `${what}: ${url.host} answered with status ${status}`;
  if (status === 401 || status === 403) {
    return failed(
      `${place}. It needs a login, or refuses this network: download the model in a browser, ` +
        'put its files into a folder, and give that folder',
    );
  }
  if (status === 407) {
    return failed(
      `${place}: the proxy wants a login. Give it in HTTPS_PROXY as http://user:password@host:port`,
    );
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return new TransientError(`${place}: try again later`, { retryAfter: retryAfter(headers), status });
  }
  return failed(`${place}. Check the address and the model's id and revision`);
}

/** Milliseconds that the header Retry-After asks for, as seconds or as a date. */
function retryAfter(headers: IncomingHttpHeaders): number {
  const value = headers['retry-after'];
  if (value === undefined) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
