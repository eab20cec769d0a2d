/** Frames as a video file. The system's ffmpeg encodes, and brings the sound along. */
import type { Writable } from 'node:stream';
import { type Child, type End, startProgram } from '../../child-process.ts';
import type { Ffmpeg } from '../../ffmpeg.ts';
import type { RawImage } from '../../image/types.ts';
import { encodeArguments, type Encoding } from './ffmpeg-arguments.ts';
import { matroskaFrameHead, matroskaHead } from './matroska.ts';
import { toNanoseconds } from './ratio.ts';
import { lastWords, videoError } from './video-error.ts';

/** What ffmpeg says, and all the same exits with 0, where the end of a file cannot be written: when the disk is full. */
const UNWRITTEN = /No space left|Disk quota|File too large|Error (writing trailer|closing file)/i;

export class FrameWriter {
  readonly #encoding: Encoding;
  readonly #file: string;
  readonly #child: Child;
  readonly #ended: Promise<End | Error>;
  readonly #input: Writable;

  /** @param file that is written, and must not be there whole before {@link end} resolves */
  constructor(ffmpeg: Ffmpeg, file: string, encoding: Encoding) {
    this.#file = file;
    this.#encoding = encoding;
    this.#child = startProgram(ffmpeg.path, encodeArguments(file, encoding));
    this.#ended = this.#child.ended.catch((error: unknown) => error as Error);
    this.#child.process.stdout!.resume();
    this.#input = this.#child.process.stdin!;
    // Whoever waits for a write is told.
    this.#input.on('error', () => {});
    this.#input.write(matroskaHead(encoding.format, encoding.facts.rate));
  }

  /**
   * Resolves when ffmpeg has taken the frame: no more than one waits here.
   * @param ticks when it is shown
   * @throws {M2fpError} `M2FP_NOT_KEPT` where the disk is full, and what else ffmpeg fails with
   */
  async write(ticks: number, { data }: RawImage): Promise<void> {
    const { start, format } = this.#encoding;
    this.#input.write(matroskaFrameHead(toNanoseconds(ticks - start, format.timeBase), data.length));
    const failed = await new Promise<boolean>((resolve) => {
      this.#input.write(data, (error) => resolve(error !== null && error !== undefined));
    });
    if (failed) throw await this.#failure();
  }

  /** Resolves when the file is whole. @throws {M2fpError} as {@link write} */
  async end(): Promise<void> {
    this.#input.end();
    const end = await this.#ended;
    if (end instanceof Error || end.code !== 0 || UNWRITTEN.test(end.words)) throw await this.#failure();
  }

  /** Ends ffmpeg where it still runs, and resolves when it is gone. The file stays as it is. */
  async close(): Promise<void> {
    this.#input.destroy();
    this.#child.process.kill('SIGKILL');
    await this.#ended;
  }

  async #failure(): Promise<Error> {
    this.#input.destroy();
    const end = await this.#ended;
    return end instanceof Error
      ? end
      : videoError(`${this.#file} cannot be written`, lastWords(end), 'M2FP_NOT_KEPT');
  }
}
