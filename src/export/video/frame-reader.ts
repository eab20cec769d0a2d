/** The frames of a video file, upright, as pixels, each with its time. The system's ffmpeg decodes. */
import { type Child, type End, startProgram } from '../../child-process.ts';
import { M2fpError } from '../../errors.ts';
import type { Ffmpeg } from '../../ffmpeg.ts';
import { onWhite } from '../../image/on-white.ts';
import type { RawImage } from '../../image/types.ts';
import { decodeArguments } from './ffmpeg-arguments.ts';
import { type FrameFormat, type FrameLine, FrameLines } from './frame-lines.ts';
import type { VideoFacts } from './probe.ts';
import { lastWords, plainWords, videoError } from './video-error.ts';

export interface Frame {
  /** From 0. */
  index: number;
  /** When it is shown, in ticks of the format. */
  ticks: number;
  /** 3 channels; what is transparent lies on white. The caller's own. */
  image: RawImage;
}

/** Larger sides are no video's, pixels. */
const MOST_SIDE = 16_384;

export class FrameReader {
  readonly #file: string;
  readonly #facts: VideoFacts;
  readonly #child: Child;
  readonly #ended: Promise<End | Error>;
  readonly #lines: FrameLines;
  /** Those of frames that were not taken yet. */
  readonly #waiting: FrameLine[] = [];
  #wake = (): void => {};
  #isOver = false;

  /** @throws {M2fpError} what starting ffmpeg throws, from {@link frames} */
  constructor(ffmpeg: Ffmpeg, file: string, facts: VideoFacts) {
    this.#file = file;
    this.#facts = facts;
    this.#lines = new FrameLines((line) => {
      this.#waiting.push(line);
      this.#wake();
    });
    this.#child = startProgram(ffmpeg.path, decodeArguments(file, facts, ffmpeg.major));
    const { stdin, stderr } = this.#child.process;
    stdin!.on('error', () => {}).end();
    stderr!.on('data', (text: string) => this.#lines.push(text));
    stderr!.on('close', () => {
      this.#isOver = true;
      this.#wake();
    });
    this.#ended = this.#child.ended.catch((error: unknown) => error as Error);
  }

  /** How large the frames are, and what a tick is. Known with the first frame. */
  get format(): FrameFormat {
    return this.#lines.format!;
  }

  /** What ffmpeg had to say against the file while it decoded it all the same; empty where there was nothing. */
  get complaints(): string {
    return plainWords(this.#lines.words);
  }

  /**
   * The frames in the order in which they are shown. No more is decoded than is taken.
   * @throws {M2fpError} `M2FP_UNSUPPORTED_FORMAT` where ffmpeg cannot decode the file; `M2FP_BAD_IMAGE` where its frames
   *   change their size, or are too large
   */
  async *frames(): AsyncGenerator<Frame, void> {
    const channels = this.#facts.hasAlpha ? 4 : 3;
    let pixels: Buffer | undefined;
    let filled = 0;
    let index = 0;
    let last: number | undefined;
    for await (const chunk of this.#chunks()) {
      for (let from = 0; from < chunk.length;) {
        pixels ??= Buffer.allocUnsafeSlow(this.#frameLength(channels));
        const copied = chunk.copy(pixels, filled, from);
        from += copied;
        filled += copied;
        if (filled < pixels.length) continue;
        const ticks = await this.#nextTicks(pixels.length, last);
        const { width, height } = this.format;
        const image: RawImage = { width, height, channels, data: pixels };
        yield { index: index++, ticks, image: channels === 4 ? await onWhite(image) : image };
        last = ticks;
        pixels = undefined;
        filled = 0;
      }
    }
    const end = await this.#ended;
    if (end instanceof Error) throw end;
    const isWhole = end.code === 0 && filled === 0 && this.#waiting.length === 0;
    if (!isWhole || index === 0) throw this.#failure(end.signal);
  }

  /** Ends ffmpeg, and resolves when it is gone. */
  async close(): Promise<void> {
    this.#child.process.stdout!.destroy();
    this.#child.process.kill('SIGKILL');
    await this.#ended;
  }

  /** What ffmpeg has decoded, from when it is known how large a frame is. It may tell that only after the first. */
  async *#chunks(): AsyncGenerator<Buffer, void> {
    const early: Buffer[] = [];
    for await (const chunk of this.#child.process.stdout! as AsyncIterable<Buffer>) {
      if (this.#lines.format === undefined) {
        early.push(chunk);
        continue;
      }
      yield* early.splice(0);
      yield chunk;
    }
    while (this.#lines.format === undefined && !this.#isOver) await this.#more();
    yield* early;
  }

  #frameLength(channels: number): number {
    if (this.#lines.format === undefined) throw this.#failure();
    const { width, height } = this.#lines.format;
    if (Math.max(width, height) > MOST_SIDE) {
      throw new M2fpError('M2FP_IMAGE_TOO_LARGE', `${this.#file} has frames of ${width} x ${height} pixels`);
    }
    return width * height * channels;
  }

  /** When the next frame is shown: later than the one before, also where the file says otherwise. */
  async #nextTicks(length: number, last: number | undefined): Promise<number> {
    while (this.#waiting.length === 0) await this.#more();
    const { ticks, bytes } = this.#waiting.shift()!;
    if (bytes !== length) {
      throw new M2fpError(
        'M2FP_BAD_IMAGE',
        `The frames of ${this.#file} change their size: cut it where they do (ffmpeg -ss -t), and take the pieces`,
      );
    }
    if (ticks !== null && (last === undefined || ticks > last)) return ticks;
    return (last ?? -1) + 1;
  }

  /** Waits until ffmpeg has written something. @throws {M2fpError} where it has ended */
  async #more(): Promise<void> {
    if (this.#isOver) throw this.#failure();
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #failure(signal: End['signal'] = null): M2fpError {
    const words = lastWords({ words: this.#lines.words, signal });
    return videoError(`${this.#file} cannot be decoded`, words, 'M2FP_UNSUPPORTED_FORMAT');
  }
}
