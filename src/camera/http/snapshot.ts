/** A camera that gives one picture for each request. */
import { M2fpError } from '../../errors.ts';
import { detectFormat } from '../../image/formats/format.ts';
import { CameraError } from '../camera-error.ts';
import { isCutOff } from '../jpeg-splitter.ts';
import { decoded, fillIn, shownAddress } from '../secrets.ts';
import type { Credentials, FrameSource, SourceLimits } from '../types.ts';
import { Login } from './login.ts';
import { openHttp, type TlsOptions } from './open.ts';

export interface HttpSourceOptions {
  /** http or https; may hold `{user}`, `{password}` and `{token}`. */
  address: string;
  credentials: Credentials;
  limits: SourceLimits;
  tls?: TlsOptions;
}

/** Each picture is a request of its own. @throws {CameraError} from `open` */
export class SnapshotSource implements FrameSource {
  readonly isLive = false;
  readonly isComplete = false;
  readonly #options: HttpSourceOptions;
  readonly #url: URL;
  readonly #login: Login;

  /** @throws {M2fpError} `M2FP_BAD_OPTION` for what is no web address */
  constructor(options: HttpSourceOptions) {
    this.#options = options;
    const { url, login } = readAddress(options);
    this.#url = url;
    this.#login = login;
  }

  async *open(signal: AbortSignal): AsyncGenerator<Buffer, void> {
    for (;;) yield await this.#fetch(signal);
  }

  async #fetch(signal: AbortSignal): Promise<Buffer> {
    const { limits, tls = {} } = this.#options;
    const { timeout, maxBytes } = limits;
    // A server that sends a byte now and then would never be given up. No AbortSignal.any: it would keep one for each picture.
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    const slow = new CameraError(
      'timeout',
      `${this.#url.host} took more than ${(timeout * 2) / 1000} s for a picture.`,
    );
    const timer = setTimeout(() => abort.abort(slow), timeout * 2);
    try {
      signal.throwIfAborted();
      const answer = await openHttp(this.#url, { signal: abort.signal, timeout, login: this.#login, tls });
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of answer.body) {
        length += chunk.length;
        if (length > maxBytes) throw tooLarge(this.#url, maxBytes);
        chunks.push(chunk);
      }
      const image = Buffer.concat(chunks, length);
      checkPicture(image, this.#url, answer.headers['content-type']);
      return image;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** The address with what the credentials have for it, and the login that its user name and password make, or those of the credentials. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function readAddress({ address, credentials }: Pick<HttpSourceOptions, 'address' | 'credentials'>): {
  url: URL;
  login: Login;
} {
  const url = URL.parse(fillIn(address.trim(), credentials));
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The camera's address must begin with http:// or https://; it is ${shownAddress(address.trim()) || 'blank'}.`,
    );
  }
  return {
    url,
    login: new Login({
      ...credentials,
      user: credentials.user || decoded(url.username),
      password: credentials.password || decoded(url.password),
    }),
  };
}

function tooLarge(url: URL, maxBytes: number): CameraError {
  return new CameraError(
    'too-large',
    `${url.host} sends a picture of more than ${Math.floor(maxBytes / 2 ** 20)} MiB.`,
  );
}

function checkPicture(image: Buffer, url: URL, type = 'no type'): void {
  const place = shownAddress(url.href);
  if (image.length === 0) throw new CameraError('no-picture', `${place} sent nothing.`);
  if (detectFormat(image) === null) {
    const [name] = type.split(';', 1);
    throw new CameraError(
      'no-picture',
      /^image\//i.test(name!)
        ? `${place} says that it sends ${name}, but it is ${isPage(image) ? 'a web page' : 'no picture'}: check address and login.`
        : `${place} sent no picture, but ${name}: open the address in a browser to see what it is.`,
    );
  }
  if (isCutOff(image)) throw new CameraError('no-picture', `${place} broke off in the middle of a picture.`);
}

function isPage(body: Buffer): boolean {
  return /^\s*<(?!\?xml[^>]*>\s*<svg|svg)/i.test(body.toString('latin1', 0, 200));
}
