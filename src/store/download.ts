/** Downloads one file, goes on where an earlier attempt broke off, and accepts only what was announced. */
import { open, rm, stat, truncate, writeFile, type FileHandle } from 'node:fs/promises';
import { readBounded } from '../bounded-file.ts';
import { M2fpError } from '../errors.ts';
import { sha256File } from './digest.ts';
import { get, shownUrl, statusError, type Answer, type RequestOptions } from './http.ts';
import { retry, type RetryOptions, TransientError } from './retry.ts';

/** What {@link Origin} takes. */
const MAX_ORIGIN_BYTES = 2 ** 16;

/** What is known of a file before it arrives. */
export interface Expected {
  /** Bytes. */
  size?: number;
  /** Lower-case hex. */
  sha256?: string;
}

export interface DownloadOptions extends RequestOptions, Pick<RetryOptions, 'random' | 'onRetry'> {
  /** Where the file is served, best first: where one says 404, the next one is asked. */
  urls: URL[];
  /** The file to write. Beside it lies `<file>.json`, what an unfinished download needs to go on. */
  file: string;
  expected: Expected;
  /** Told the bytes that have arrived in all, and the size where it is known. */
  onReceived?: (received: number, size: number | undefined) => void;
  /** Told the bytes whose digest is computed. */
  onVerified?: (bytes: number, size: number) => void;
}

/** What lies beside an unfinished file: which content its bytes belong to. */
interface Origin extends Expected {
  /** A strong ETag, or the date of the last change: what If-Range takes. */
  validator?: string;
  /** The size that the server told, where the listing told none. */
  announced?: number;
}

/** The content is not what was announced; it was deleted. */
class WrongContentError extends Error {}

/**
 * Downloads until the file is whole and right. After an error or an abort the part that has arrived stays for the
 * next call.
 * @returns false where no address has such a file (404)
 * @throws M2fpError M2FP_DOWNLOAD_FAILED; the signal's reason
 */
export async function downloadFile(options: DownloadOptions): Promise<boolean> {
  let restarted = false;
  for (;;) {
    const download = new Download(options);
    try {
      return await download.run();
    } catch (error) {
      if (!(error instanceof WrongContentError)) throw asFailure(error, options);
      await download.forget();
      if (restarted) {
        throw new M2fpError(
          'M2FP_DOWNLOAD_FAILED',
          `${error.message}, twice. The server's file is damaged or was changed, or something on the way ` +
            'changes it: try again later, or download it in a browser',
        );
      }
      // A broken part may have been the reason: once from the start.
      restarted = true;
    }
  }
}

function asFailure(error: unknown, { file, signal }: DownloadOptions): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (signal.aborted || error instanceof M2fpError || code === undefined) return error;
  const reason = code === 'ENOSPC' ? 'the disk is full' : message;
  return new M2fpError('M2FP_DOWNLOAD_FAILED', `${file} cannot be written: ${reason}`, { cause: error });
}

class Download {
  readonly #options: DownloadOptions;
  #origin: Origin;
  #received = 0;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#origin = options.expected;
  }

  async run(): Promise<boolean> {
    const { file } = this.#options;
    await this.#findEarlier();
    if (!(await this.#fetchAll())) return false;
    await this.#verify();
    const handle = await open(file, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    return true;
  }

  /** Deletes what has arrived. */
  async forget(): Promise<void> {
    await rm(this.#options.file, { force: true });
    await rm(`${this.#options.file}.json`, { force: true });
  }

  get #size(): number | undefined {
    return this.#origin.size ?? this.#origin.announced;
  }

  /** Finds out what an earlier attempt left; what belongs to other content is deleted. */
  async #findEarlier(): Promise<void> {
    const { file, expected } = this.#options;
    const origin = await readBounded(`${file}.json`, MAX_ORIGIN_BYTES)
      .then((text) => JSON.parse(text) as Partial<Origin> | null)
      .catch(() => null);
    const length = await stat(file).then(
      ({ size }) => size,
      () => 0,
    );
    const same =
      origin !== null && origin.size === expected.size && origin.sha256 === expected.sha256 && length > 0;
    const size = expected.size ?? origin?.announced;
    // Without a digest and without a validator nothing would tell that the file has changed in between.
    const safe = expected.sha256 !== undefined || origin?.validator !== undefined;
    if (!same || !safe || (size !== undefined && length > size)) return this.forget();
    this.#origin = { ...origin, ...expected };
    this.#received = length;
  }

  async #fetchAll(): Promise<boolean> {
    this.#report();
    if (this.#received > 0 && this.#received === this.#size) return true;
    const urls = [...this.#options.urls];
    return retry(
      async () => {
        for (let url = urls[0]; url !== undefined; url = urls[0]) {
          if (await this.#fetch(url)) return true;
          urls.shift();
        }
        return false;
      },
      { ...this.#options, reached: () => this.#received },
    );
  }

  /** One request; false where the server knows no such file. */
  async #fetch(url: URL): Promise<boolean> {
    const offset = this.#received;
    const answer = await get(url, this.#rangeHeaders(), this.#options);
    try {
      if (answer.status === 404) return false;
      const start = await this.#startOf(answer, offset);
      await this.#write(answer, start);
      return true;
    } finally {
      answer.discard();
    }
  }

  #rangeHeaders(): Record<string, string> {
    if (this.#received === 0) return {};
    const { validator, sha256 } = this.#origin;
    return {
      range: `bytes=${this.#received}-`,
      // Mirrors behind one address may tell different validators for the same content. A digest judges better.
      ...(sha256 === undefined && validator !== undefined && { 'if-range': validator }),
    };
  }

  /** The position of the first byte that the answer brings. */
  async #startOf(answer: Answer, offset: number): Promise<number> {
    const { status, headers } = answer;
    const what = shownUrl(answer.url);
    if (status === 200) {
      if (headers['content-type']?.startsWith('text/html')) throw notTheFile(what);
      await this.#begin(answer);
      return 0;
    }
    if (status === 206) {
      const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
      const total = range?.[2] === undefined || range[2] === '*' ? this.#size : Number(range[2]);
      if (Number(range?.[1]) === offset && (this.#size === undefined || total === this.#size)) return offset;
      await this.#restart();
      throw new TransientError(`${what} sent another part than it was asked for`, { status });
    }
    if (status === 416) {
      await this.#restart();
      throw new TransientError(`${what} is shorter than what has arrived of it`, { status });
    }
    throw statusError(answer, what);
  }

  /** Empties the file for content that comes from its start, and notes which content that is. */
  async #begin({ headers, url }: Answer): Promise<void> {
    const { file, expected } = this.#options;
    const length = headers['content-length'];
    const announced = length === undefined ? undefined : Number(length);
    if (expected.size !== undefined && announced !== undefined && announced !== expected.size) {
      throw new WrongContentError(
        `${shownUrl(url)} has ${announced} bytes instead of the ${expected.size} that the list of files tells`,
      );
    }
    const etag = headers.etag?.startsWith('W/') ? undefined : headers.etag;
    const validator = etag ?? headers['last-modified'];
    await this.#restart();
    this.#origin = { ...expected, ...(validator && { validator }), ...(announced && { announced }) };
    await writeFile(`${file}.json`, JSON.stringify(this.#origin));
  }

  async #restart(): Promise<void> {
    const { file } = this.#options;
    await truncate(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    this.#received = 0;
  }

  async #write({ body, url }: Answer, start: number): Promise<void> {
    const size = this.#size;
    const handle = await open(this.#options.file, 'a');
    try {
      for await (const chunk of body) {
        if (this.#received === 0 && chunk[0] === '<'.charCodeAt(0)) throw notTheFile(shownUrl(url));
        if (size !== undefined && this.#received + chunk.length > size) {
          throw new WrongContentError(
            `${shownUrl(url)} is longer than the ${size} bytes that were announced`,
          );
        }
        await writeWhole(handle, chunk);
        this.#received += chunk.length;
        this.#report();
      }
    } finally {
      await handle.close();
    }
    if (size !== undefined && this.#received < size) {
      throw new TransientError(
        `${shownUrl(url)} ended after ${this.#received} of ${size} bytes (begun at ${start})`,
      );
    }
  }

  async #verify(): Promise<void> {
    const { file, expected, signal, onVerified, urls } = this.#options;
    if (expected.sha256 === undefined) return;
    const found = await sha256File(file, {
      signal,
      onProgress: (bytes) => onVerified?.(bytes, this.#received),
    });
    if (found === expected.sha256) return;
    const name = urls[0] === undefined ? file : shownUrl(urls[0]);
    throw new WrongContentError(
      `${name} has the SHA-256 ${found} instead of the ${expected.sha256} that the list of files tells`,
    );
  }

  #report(): void {
    this.#options.onReceived?.(this.#received, this.#size);
  }
}

function notTheFile(what: string): M2fpError {
  return new M2fpError(
    'M2FP_DOWNLOAD_FAILED',
    `${what} is a web page, not the file. Mostly that is the login page of a network (hotel, guest Wi-Fi) or of ` +
      'a proxy: log in there in a browser, or check the address of the server',
  );
}

async function writeWhole(handle: FileHandle, chunk: Buffer): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    offset += (await handle.write(chunk, offset)).bytesWritten;
  }
}
