/** A file of JSON values, a line each, that only grows: what was written stays, whatever happens to the process. */
import { type FileHandle, open } from 'node:fs/promises';
import { M2fpError } from '../../errors.ts';

const CHUNK = 1 << 16;
const NEWLINE = 0x0a;

/** Where a line lies in its file. */
export interface Span {
  /** Bytes. */
  offset: number;
  /** Bytes, without the end of the line. */
  length: number;
}

export class JsonLines {
  readonly #file: string;
  readonly #handle: FileHandle;
  #end = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** Opens or makes the file. What a process that died left of a last line is cut off. */
  static async open(file: string): Promise<JsonLines> {
    // Not "a+": a position could not be given then.
    const handle = await open(file, 'a').then(async (made) => {
      await made.close();
      return open(file, 'r+');
    });
    return new JsonLines(file, handle);
  }

  private constructor(file: string, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  /**
   * Reads all lines, once, before any is added.
   * @throws {M2fpError} `M2FP_NOT_KEPT` for a line that is no JSON object
   */
  async *scan(): AsyncIterable<{ value: Record<string, unknown>; span: Span }> {
    let rest: Buffer = Buffer.alloc(0);
    let number = 0;
    for (let at = 0; ;) {
      const { bytesRead, buffer } = await this.#handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      let start = 0;
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, start)) {
        const span = { offset: this.#end, length: end - start };
        this.#end += span.length + 1;
        number++;
        yield { value: this.#parse(rest.toString('utf8', start, end), number), span };
        start = end + 1;
      }
      rest = rest.subarray(start);
    }
    if (rest.length > 0) await this.#handle.truncate(this.#end);
  }

  /** Adds a line behind all others, also those that are being written at this moment. */
  append(value: object): Promise<Span> {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    const written = this.#last.then(() => this.#write(bytes));
    this.#last = written.catch(() => {});
    return written;
  }

  async #write(bytes: Buffer): Promise<Span> {
    const span = { offset: this.#end, length: bytes.length - 1 };
    try {
      await this.#handle.write(bytes, 0, bytes.length, span.offset);
    } catch (error) {
      // A disk that is full may have taken half of it.
      await this.#handle.truncate(span.offset).catch(() => {});
      throw error;
    }
    this.#end += bytes.length;
    return span;
  }

  async read({ offset, length }: Span): Promise<Record<string, unknown>> {
    const bytes = Buffer.allocUnsafe(length);
    await this.#handle.read(bytes, 0, length, offset);
    return this.#parse(bytes.toString('utf8'), null);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #parse(text: string, line: number | null): Record<string, unknown> {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
    } catch {
      // Told below: the parser's own error quotes the text.
    }
    const where = line === null ? '' : ` (line ${line})`;
    throw new M2fpError(
      'M2FP_NOT_KEPT',
      `${this.#file} is damaged${where}: put its last good copy in its place, or begin in another folder.`,
    );
  }
}
