/** A video file made into another one, frame by frame: some frames are parsed, all are drawn. */
import { isOfOneImage, M2fpError } from '../../errors.ts';
import type { Ffmpeg } from '../../ffmpeg.ts';
import { encodeImage } from '../../image/encode.ts';
import { readOptions } from '../../parsing/options/option-table.ts';
import type { Parsing } from '../../parsing/types.ts';
import { Topics } from '../../people/track/topics.ts';
import { TRACK_OPTIONS } from '../../people/track/track-options.ts';
import { type Encoding, encodedSize } from './ffmpeg-arguments.ts';
import { type Frame, FrameReader } from './frame-reader.ts';
import { boxesBetween, boxesOf, type PersonBox } from './person-boxes.ts';
import { planEncoding } from './plan-encoding.ts';
import { probeVideo, sizesOf, type VideoFacts } from './probe.ts';
import { toSeconds } from './ratio.ts';
import { type Stretch, stretchesOf } from './stretches.ts';
import { VideoOutput } from './video-output.ts';
import type { Drawn, View } from './view.ts';

/** What is parsed is JPEG: as good as the video itself, and quickly made. */
const QUALITY = 95;
/** Bytes of frames that wait for a parsing. */
const MOST_WAITING = 2 ** 30;
const TRACKING = readOptions(TRACK_OPTIONS, {});

export interface VideoJob {
  /** Paths. */
  input: string;
  output: string;
  /** The table of boxes; undefined: none. */
  boxes: string | undefined;
  view: View<unknown>;
  /** Of so many frames one is parsed. */
  every: number;
  keepsAudio: boolean;
  keepsMetadata: boolean;
  ffmpeg: Ffmpeg;
  parse: (image: Buffer) => Promise<Parsing>;
  /** How many pictures may be with the engine. */
  parallel: number;
  signal: AbortSignal;
  /** @param total as far as the file tells; null where it does not */
  onProgress: (frames: number, total: number | null) => void;
  /** Told what the user should know. */
  onNote: (line: string) => void;
}

/** What has come of it. JSON-ready. */
export interface VideoSummary {
  /** Of the video, pixels. */
  width: number;
  height: number;
  frames: number;
  /** Frames that the model has seen. */
  parsed: number;
  /** Frames that it was to see, and could not. */
  failed: number;
  /** Frames that are black, since nobody knows who is in them. */
  black: number;
  /** People who were told apart. */
  persons: number;
  /** Seconds of the video. */
  duration: number;
  encoder: string;
}

/**
 * Makes the video. Files are written beside, and get their names when all is whole: before, and where it ends badly, what had
 * that name stays as it was.
 * @throws {M2fpError} `M2FP_NO_IMAGE` where there is no video in the file; `M2FP_UNSUPPORTED_FORMAT` and `M2FP_BAD_IMAGE` for
 *   one that cannot be decoded; `M2FP_BAD_OPTION` for more frames between two parsed ones than memory can hold;
 *   `M2FP_NOT_KEPT` where a file cannot be written; what the engine throws, where no frame could be parsed or no single frame
 *   is to blame
 */
export async function convertVideo(job: VideoJob): Promise<VideoSummary> {
  const facts = await probeVideo(job.ffmpeg, job.input);
  const run = new Run(job, facts);
  try {
    return await run.convert();
  } catch (error) {
    await run.discard();
    // Ctrl+C reaches the two ffmpegs as well, and they end at once: that is why there was an error.
    job.signal.throwIfAborted();
    throw error;
  }
}

/** What is known of a frame that was to be parsed. */
interface ParsedFrame {
  read: unknown;
  boxes: PersonBox[];
}

/** Frames that wait until the one that is parsed next is. */
interface Waiting {
  stretch: Stretch<Frame>;
  /** Of its first frame; undefined where parsing failed. */
  parsed: Promise<ParsedFrame | undefined>;
}

class Run {
  readonly #job: VideoJob;
  readonly #facts: VideoFacts;
  readonly #reader: FrameReader;
  readonly #output: VideoOutput;
  readonly #topics = new Topics();
  readonly #discarded = new AbortController();
  readonly #tracks = new Set<number>();
  #encoding: Encoding | undefined;
  /** The first of a single frame. */
  #failure: M2fpError | undefined;
  readonly #counts = { frames: 0, parsed: 0, failed: 0, black: 0 };
  /** When the last frame is shown, seconds. */
  #end = 0;

  constructor(job: VideoJob, facts: VideoFacts) {
    this.#job = job;
    this.#facts = facts;
    this.#reader = new FrameReader(job.ffmpeg, job.input, facts);
    this.#output = new VideoOutput(job.output, job.boxes);
  }

  async convert(): Promise<VideoSummary> {
    const { ffmpeg, input, onProgress } = this.#job;
    onProgress(0, this.#facts.frames);
    // Meanwhile: it takes as long as reading the file.
    const sizes = sizesOf(ffmpeg, input, this.#discarded.signal);
    const waiting: Waiting[] = [];
    let before: ParsedFrame | undefined;
    let last: Waiting['parsed'] = Promise.resolve(undefined);
    const draw = async (): Promise<void> => {
      const [{ stretch, parsed }, next] = [waiting.shift()!, waiting[0]];
      const own = await parsed;
      await this.#draw(stretch, before, own, await next?.parsed);
      before = own;
    };
    for await (const stretch of stretchesOf(this.#reader.frames(), this.#job.every)) {
      this.#job.signal.throwIfAborted();
      if (this.#encoding === undefined) await this.#begin(stretch.first);
      last = this.#parse(stretch.first, last);
      waiting.push({ stretch, parsed: last });
      if (waiting.length > this.#ahead) await draw();
    }
    while (waiting.length > 0) await draw();
    if (this.#counts.parsed === 0) throw this.#failure!;
    await this.#output.finish();
    await this.#reader.close();
    this.#tellOf(await sizes);
    return this.#summary();
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    this.#discarded.abort();
    await this.#reader.close();
    await this.#output.discard();
  }

  /** How many stretches may wait while the next one is read: memory holds their frames. */
  get #ahead(): number {
    const { parallel, every } = this.#job;
    return Math.max(1, Math.min(parallel, Math.floor(this.#mostWaiting / every) - 1));
  }

  /** Frames that memory holds. */
  get #mostWaiting(): number {
    const { width, height } = this.#reader.format;
    return Math.floor(MOST_WAITING / (3 * width * height));
  }

  /** Now it is known how large the frames are, and when the first is shown. */
  async #begin({ ticks }: Frame): Promise<void> {
    const { ffmpeg, input, output, keepsAudio, keepsMetadata, every, onNote } = this.#job;
    const { format } = this.#reader;
    if (every > this.#mostWaiting) {
      throw new M2fpError(
        'M2FP_BAD_OPTION',
        `--every ${every} is too much for frames of ${format.width} x ${format.height} pixels, of which memory is to hold ` +
          `no more than ${this.#mostWaiting}`,
      );
    }
    const known = { source: input, facts: this.#facts, format, start: ticks, keepsAudio, keepsMetadata };
    const { encoding, notes } = await planEncoding(ffmpeg, output, known);
    for (const line of notes) onNote(line);
    this.#encoding = encoding;
    await this.#output.open(ffmpeg, encoding);
  }

  /** Parses a frame at once, and looks at what comes of it when the one before was looked at. */
  #parse({ image, index, ticks }: Frame, before: Promise<unknown>): Promise<ParsedFrame | undefined> {
    // At once: the frame is drawn into later.
    const parsing = encodeImage(image, { format: 'jpeg', quality: QUALITY }).then(this.#job.parse);
    const read = async (): Promise<ParsedFrame | undefined> => {
      await before;
      try {
        return await this.#read(await parsing, index, ticks);
      } catch (error) {
        this.#fail(index, error);
        return undefined;
      }
    };
    const parsed = read();
    // Whoever draws is told; until then, and where nobody draws any more, it is no unhandled rejection.
    for (const promise of [parsing, parsed]) promise.catch(() => {});
    return parsed;
  }

  async #read(parsing: Parsing, index: number, ticks: number): Promise<ParsedFrame> {
    const time = toSeconds(ticks, this.#reader.format.timeBase);
    const { parsing: tracked } = await this.#topics.track(parsing, '', time * 1000, TRACKING);
    for (const { track } of tracked.persons) if (track !== null) this.#tracks.add(track);
    this.#counts.parsed++;
    return { read: await this.#job.view.read(tracked, index, time), boxes: boxesOf(tracked, index) };
  }

  /** @throws `error`, where it is no single frame's fault */
  #fail(index: number, error: unknown): void {
    if (!(error instanceof M2fpError) || (!isOfOneImage(error.code) && error.code !== 'M2FP_TIMEOUT'))
      throw error;
    this.#failure ??= error;
    this.#counts.failed++;
    this.#job.onNote(`Frame ${index}: ${error.code}: ${error.message}`);
  }

  async #draw(
    { first, others }: Stretch<Frame>,
    before: ParsedFrame | undefined,
    own: ParsedFrame | undefined,
    after: ParsedFrame | undefined,
  ): Promise<void> {
    const { view } = this.#job;
    const around = [before, after].flatMap((one) => (one === undefined ? [] : [one.read]));
    const drawn =
      own === undefined
        ? await view.drawBetween(first.image, undefined, undefined, 0)
        : await view.drawParsed(first.image, own.read, around);
    await this.#write(first, drawn, own?.boxes ?? [], own !== undefined);
    for (const [at, frame] of others.entries()) {
      const share = (at + 1) / (others.length + 1);
      const between = await view.drawBetween(frame.image, own?.read, after?.read, share);
      await this.#write(frame, between, boxesBetween(own?.boxes, after?.boxes, share), false);
    }
  }

  async #write(
    { index, ticks }: Frame,
    { image, hidden, isBlack }: Drawn,
    boxes: PersonBox[],
    isParsed: boolean,
  ): Promise<void> {
    this.#job.signal.throwIfAborted();
    const time = toSeconds(ticks, this.#reader.format.timeBase);
    await this.#output.write(ticks, image, { frame: index, time, isParsed, boxes, hidden, isBlack });
    this.#end = time;
    this.#counts.frames++;
    if (isBlack) this.#counts.black++;
    this.#job.onProgress(this.#counts.frames, this.#facts.frames);
  }

  /** What is not as it should be in the file. @param sizes of its frames */
  #tellOf(sizes: readonly string[]): void {
    const { input, onNote } = this.#job;
    const { complaints } = this.#reader;
    if (complaints !== '') onNote(`${input} is damaged in places (ffmpeg: ${complaints})`);
    if (sizes.length < 2) return;
    onNote(
      `The frames of ${input} change their size (${sizes.join(', ')}): all have that of the first now, stretched. ` +
        'Cut it where they do (ffmpeg -ss -t), and take the pieces',
    );
  }

  #summary(): VideoSummary {
    const { format, encoder } = this.#encoding!;
    const { rate } = this.#facts;
    return {
      ...encodedSize(format, encoder),
      ...this.#counts,
      persons: this.#tracks.size,
      duration: Math.round((this.#end + rate.den / rate.num) * 1000) / 1000,
      encoder: encoder.name,
    };
  }
}
