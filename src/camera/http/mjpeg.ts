/** A camera that sends one JPEG after the other in an answer without end (`multipart/x-mixed-replace`). */
import { CameraError } from '../camera-error.ts';
import { JpegSplitter } from '../jpeg-splitter.ts';
import { shownAddress } from '../secrets.ts';
import type { FrameSource } from '../types.ts';
import type { Login } from './login.ts';
import { openHttp } from './open.ts';
import { type HttpSourceOptions, readAddress } from './snapshot.ts';

/** @throws {CameraError} from `open` */
export class MjpegSource implements FrameSource {
  readonly isLive = true;
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
    const { limits, tls = {} } = this.#options;
    const { timeout, maxBytes } = limits;
    const place = shownAddress(this.#url.href);
    const answer = await openHttp(this.#url, { signal, timeout, login: this.#login, tls });
    const type = answer.headers['content-type'] ?? '';
    if (/^\s*(text\/html|application\/json)/i.test(type)) {
      answer.discard();
      throw new CameraError(
        'no-picture',
        `${place} sent no stream of pictures, but ${type.split(';', 1)[0]}.`,
      );
    }
    const splitter = new JpegSplitter(maxBytes);
    let last = performance.now();
    let count = 0;
    for await (const chunk of answer.body) {
      for (const image of splitter.push(chunk)) {
        last = performance.now();
        count++;
        yield image;
      }
      // Bytes may come without ever making a picture.
      if (performance.now() - last > timeout) {
        throw new CameraError('timeout', `${place} sent no whole picture for ${timeout / 1000} s.`);
      }
    }
    if (count === 0) throw new CameraError('no-picture', `${place} ended before there was a whole picture.`);
    throw new CameraError(
      'ended',
      `${place} ended the stream${splitter.isInside ? ' in the middle of a picture' : ''}.`,
    );
  }
}
