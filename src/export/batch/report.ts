/** What became of each picture of a batch: a line each in a file, which is also what the next run goes on from. */
import { rename, rm } from 'node:fs/promises';
import type { M2fpErrorCode } from '../../errors.ts';
import { JsonLines, type Span } from '../dataset/json-lines.ts';

/** A line. */
export interface ReportLine {
  /** See `Source`; where another picture had the same one in an earlier run, `path`. */
  file: string;
  /** Where it lies, from the root. */
  path: string;
  outcome: 'done' | 'failed';
  /** SHA-256 of the picture, hex; null where it could not be read. */
  digest: string | null;
  /** Of the options and the model, hex: what makes another result is another one. */
  options: string;
  /** People and parts that were found. */
  persons?: number;
  parts?: number;
  /** Files that were made, below the folder of the output. */
  outputs: string[];
  /** Of the names and contents of those that this run's options make, but a data set's; see `ContentDigest`. */
  contents?: string;
  /** Milliseconds from reading the picture until its own files were written. */
  time: number;
  error?: { code: M2fpErrorCode; message: string };
}

export class Report {
  readonly #file: string;
  #lines: JsonLines;
  readonly #spans = new Map<string, Span>();
  /** Whether lines are in the file that later ones took the place of. */
  #superseded = false;

  /**
   * @param onLine told of each line that is there
   * @throws {M2fpError} `M2FP_NOT_KEPT` where it is damaged; file system errors
   */
  static async open(file: string, onLine?: (line: ReportLine) => void): Promise<Report> {
    const report = new Report(file, await JsonLines.open(file));
    await report.#scan(onLine);
    // What a run that was killed has left.
    await report.#compact();
    return report;
  }

  private constructor(file: string, lines: JsonLines) {
    this.#file = file;
    this.#lines = lines;
  }

  /** Pictures that have a line. */
  get size(): number {
    return this.#spans.size;
  }

  /** What is known of the picture; undefined of a new one. */
  async find(file: string): Promise<ReportLine | undefined> {
    const span = this.#spans.get(file);
    return span === undefined ? undefined : ((await this.#lines.read(span)) as unknown as ReportLine);
  }

  /** Takes the place of the line that the picture had. */
  async put(line: ReportLine): Promise<void> {
    if (this.#spans.has(line.file)) this.#superseded = true;
    this.#spans.set(line.file, await this.#lines.append(line));
  }

  /** Leaves one line for each picture. */
  async close(): Promise<void> {
    try {
      await this.#compact();
    } finally {
      await this.#lines.close();
    }
  }

  async #scan(onLine?: (line: ReportLine) => void): Promise<void> {
    for await (const { value, span } of this.#lines.scan()) {
      const file = String(value['file']);
      onLine?.(value as unknown as ReportLine);
      if (this.#spans.has(file)) this.#superseded = true;
      this.#spans.set(file, span);
    }
  }

  async #compact(): Promise<void> {
    if (!this.#superseded) return;
    const beside = `${this.#file}.partial`;
    await rm(beside, { force: true });
    const lines = await JsonLines.open(beside);
    for (const [file, span] of this.#spans)
      this.#spans.set(file, await lines.append(await this.#lines.read(span)));
    await this.#lines.close();
    await lines.close();
    await rename(beside, this.#file);
    this.#lines = await JsonLines.open(this.#file);
    for await (const _line of this.#lines.scan());
    this.#superseded = false;
  }
}
