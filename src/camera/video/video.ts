/** A stream (RTSP and others) or a video file, read by the system's ffmpeg. */
import { type Program, startGroup } from '../../child-process.ts';
import { type Ffmpeg, FfmpegMissing, findFfmpeg } from '../../ffmpeg.ts';
import { CameraError, type OfflineReason } from '../camera-error.ts';
import { JpegSplitter } from '../jpeg-splitter.ts';
import { shownAddress, shownFile, withServersOnly } from '../secrets.ts';
import type { Credentials, FrameSource, SourceLimits } from '../types.ts';
import { callOf, readInput, type VideoInput, type VideoOptions } from './arguments.ts';

export interface VideoSourceOptions extends VideoOptions {
  /** Of a stream, which may hold `{user}` and the like; or the path of a file. */
  address: string;
  credentials: Credentials;
  limits: SourceLimits;
  /** Path of ffmpeg; blank: the one on the PATH. */
  ffmpeg: string;
  /** Told which one it is. */
  onFound?: (ffmpeg: Ffmpeg) => void;
}

/** Milliseconds that ffmpeg may take to say goodbye to the camera. */
const GOODBYE = 2000;

/** Characters of which only the end was kept. */
const MANY_WORDS = 4000;

/** @throws {CameraError} from `open` */
export class VideoSource implements FrameSource {
  readonly #options: VideoSourceOptions;
  readonly #input: VideoInput;

  /** @throws {M2fpError} `M2FP_BAD_OPTION` for an address that is none of a stream */
  constructor(options: VideoSourceOptions) {
    this.#options = options;
    this.#input = readInput(options.address, options.credentials);
  }

  get isLive(): boolean {
    return this.#input.kind === 'stream' || this.#options.isPaced;
  }

  /** Of a file that does not play at its own speed, none is left out. */
  get isComplete(): boolean {
    return !this.isLive;
  }

  async *open(signal: AbortSignal): AsyncGenerator<Buffer, void> {
    const ffmpeg = await this.#find();
    signal.throwIfAborted();
    const { args, input } = callOf(this.#input, this.#options, ffmpeg.major);
    const child = startGroup(ffmpeg.path, args);
    const ended = child.ended.catch((error: unknown) => error as Error);
    const stop = (): void => {
      child.kill('SIGTERM');
      // Whoever waits for a picture waits no more.
      child.process.stdout!.destroy();
    };
    signal.addEventListener('abort', stop);
    child.process.stdin!.on('error', () => {}).end(input);
    try {
      yield* this.#read(child, signal);
      const end = await this.#endOf(child, ended);
      if (end instanceof Error) throw end;
      if (end.code === 0 && this.#input.kind === 'file') return;
      throw this.#failure(child.words());
    } finally {
      signal.removeEventListener('abort', stop);
      await letGo(child, ended);
    }
  }

  /** How it ended, now that no picture comes any more. */
  #endOf<End>(child: Program, ended: Promise<End>): Promise<End> {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.hangUp();
    }, GOODBYE);
    return ended.finally(() => clearTimeout(timer));
  }

  async #find(): Promise<Ffmpeg> {
    try {
      const found = await findFfmpeg(this.#options.ffmpeg);
      this.#options.onFound?.(found);
      return found;
    } catch (error) {
      if (!(error instanceof FfmpegMissing)) throw error;
      throw new CameraError('ffmpeg-missing', `${error.message} Snapshots and MJPEG need no ffmpeg.`);
    }
  }

  async *#read(child: Program, signal: AbortSignal): AsyncGenerator<Buffer, void> {
    const { timeout, maxBytes } = this.#options.limits;
    const splitter = new JpegSplitter(maxBytes);
    const { process } = child;
    const chunks = process.stdout![Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let isFirst = true;
    for (;;) {
      let isLate = false;
      const giveUp = (): void => {
        child.kill('SIGKILL');
        child.hangUp();
      };
      // It asks the camera what it sends, and waits for a picture that stands alone.
      const patience = isFirst ? timeout * 2 : timeout;
      const timer = setTimeout(() => {
        isLate = true;
        giveUp();
      }, patience);
      let grace: NodeJS.Timeout | undefined;
      // What a script leaves running may keep the pipe open.
      const onExit = (): void => void (grace = setTimeout(giveUp, GOODBYE));
      if (hasExited(process)) onExit();
      else process.once('exit', onExit);
      const { done, value } = await chunks
        .next()
        // Of a pipe that was hung up.
        .catch(() => ({ done: true as const, value: undefined }))
        .finally(() => {
          clearTimeout(timer);
          clearTimeout(grace);
          process.off('exit', onExit);
        });
      signal.throwIfAborted();
      if (isLate) {
        throw new CameraError('timeout', `${this.#place} gave no picture for ${patience / 1000} s.`);
      }
      if (done === true) return;
      for (const image of splitter.push(value)) {
        isFirst = false;
        yield image;
      }
    }
  }

  get #place(): string {
    return this.#input.kind === 'file' ? shownFile(this.#input.address) : shownAddress(this.#input.address);
  }

  /** @param words what ffmpeg said */
  #failure(words: string): CameraError {
    // What stands in brackets before is an address in memory.
    const plain = wholeLines(words)
      .replace(/^\[[^\]]*\] /gm, '')
      .replaceAll(this.#input.address, this.#place);
    const [reason, what] = meaningOf(plain);
    // The last lines say it in the end.
    const said = withServersOnly(plain).split('\n').slice(-3).join('; ').slice(-400);
    return new CameraError(reason, `${this.#place} ${what}${said === '' ? '' : ` (ffmpeg: ${said})`}.`);
  }
}

/** Where much was said, what is left may begin within an address. */
function wholeLines(words: string): string {
  return words.length < MANY_WORDS ? words : words.slice(words.indexOf('\n') + 1 || words.length);
}

function meaningOf(words: string): [OfflineReason, string] {
  if (/\b40[13]\b|authoriz|forbidden/i.test(words)) {
    return ['login', 'refuses the login: check user and password, or the token'];
  }
  if (/Connection refused|timed out|No route|unreachable|resolve hostname|reset by peer/i.test(words)) {
    return ['unreachable', 'cannot be reached'];
  }
  if (/No such file|Permission denied|Is a directory/i.test(words)) return ['refused', 'cannot be read'];
  if (/Invalid data|does not contain|matches no streams|moov atom/i.test(words)) {
    return ['no-picture', 'is no video that ffmpeg can read'];
  }
  if (/\b404\b|Not Found/i.test(words)) return ['refused', 'is not there'];
  return words === '' ? ['ended', 'ended'] : ['ffmpeg-failed', 'failed'];
}

function hasExited({ exitCode, signalCode }: Program['process']): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Ends what may still run, and waits until it is gone. */
async function letGo(child: Program, ended: Promise<unknown>): Promise<void> {
  child.hangUp();
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), GOODBYE);
  await ended;
  clearTimeout(timer);
  // What a script has left behind.
  child.kill('SIGKILL');
}
