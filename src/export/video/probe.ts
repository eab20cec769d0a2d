/** What a video file holds, as ffprobe tells. */
import { stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { startProgram } from '../../child-process.ts';
import { M2fpError } from '../../errors.ts';
import { type Ffmpeg, ffprobeOf, INSTALL_LINES } from '../../ffmpeg.ts';
import { type Ratio, readRatio } from './ratio.ts';
import { videoError } from './video-error.ts';

export interface VideoFacts {
  /** Seconds of a tick of the video stream. */
  timeBase: Ratio;
  /** Frames a second, on average. */
  rate: Ratio;
  /** How many frames there are, as far as the file tells; null where it does not. */
  frames: number | null;
  /** Whether it may have transparency: what this does not know is taken for that. */
  hasAlpha: boolean;
  /** Whether there may be frames of two halves: each frame tells of itself. */
  mayBeInterlaced: boolean;
  /** Names of ffmpeg; null where the file does not tell. */
  color: { space: string | null; primaries: string | null; transfer: string | null };
  audio: SideStream[];
  subtitles: SideStream[];
  hasChapters: boolean;
}

/** A stream beside the video. */
export interface SideStream {
  /** Among all streams of the file. */
  index: number;
  codec: string;
  /** ISO 639; null where it is not told. */
  language: string | null;
  /** Of Opus: samples, 48,000 a second, that come before the first one that is heard. Else 0. */
  preSkip: number;
}

/** What is used of ffprobe's JSON. */
interface Probed {
  streams?: ProbedStream[];
  frames?: { width?: number; height?: number }[];
  chapters?: unknown[];
  format?: { duration?: string };
}

interface ProbedStream {
  index: number;
  codec_type?: string;
  codec_name?: string;
  pix_fmt?: string;
  field_order?: string;
  time_base?: string;
  avg_frame_rate?: string;
  r_frame_rate?: string;
  nb_frames?: string;
  nb_read_packets?: string;
  duration?: string;
  color_space?: string;
  color_primaries?: string;
  color_transfer?: string;
  /** As lines of hexadecimal digits. */
  extradata?: string;
  disposition?: Record<string, number>;
  tags?: Record<string, string>;
}

/** Formats of pixels without transparency. */
const OPAQUE =
  /^(yuvj?\d|nv\d|p[024]1\d|rgb\d|bgr\d|rgb0|0rgb|bgr0|0bgr|gray|gbrp(?!ap)|mono|yuyv|uyvy|yvyu|x2|y21)/;
const USUAL_RATE: Ratio = { num: 25, den: 1 };
/** What a file tells of frames and seconds may be anything. */
const MOST_RATE = 1000;

/**
 * @param file path
 * @throws {M2fpError} `M2FP_NO_IMAGE` where it cannot be read or has no video; `M2FP_UNSUPPORTED_FORMAT` where it is nothing
 *   that ffmpeg knows; `M2FP_ENGINE_UNAVAILABLE` where there is no ffprobe
 */
export async function probeVideo(ffmpeg: Ffmpeg, file: string): Promise<VideoFacts> {
  await checkFile(file);
  const asked = ['-show_format', '-show_streams', '-show_chapters', '-show_data'];
  const { streams = [], chapters = [], format = {} } = await ask(ffmpeg, file, asked);
  const video = streams.find((stream) => stream.codec_type === 'video' && !isPicture(stream));
  const timeBase = readRatio(video?.time_base);
  if (video === undefined || timeBase === null) {
    const held = [...new Set(streams.map(({ codec_type: type }) => type ?? 'data'))].join(', ');
    throw new M2fpError('M2FP_NO_IMAGE', `${file} has no video${held === '' ? '' : `, only ${held}`}`);
  }
  const sideStreams = (type: string): SideStream[] =>
    streams
      .filter(({ codec_type: own }) => own === type)
      .map(({ index, codec_name: codec = '', tags = {}, extradata = '' }) => ({
        index,
        codec,
        language: /^[a-z]{2,3}$/i.exec(tags['language'] ?? '')?.[0] ?? null,
        preSkip: codec === 'opus' ? preSkipIn(extradata) : 0,
      }));
  const rate = rateOf(video);
  return {
    timeBase,
    rate,
    frames: framesOf(video, rate, Number(video.duration ?? format.duration)),
    hasAlpha: !OPAQUE.test(video.pix_fmt ?? ''),
    mayBeInterlaced: mayBeInterlaced(video),
    color: {
      space: video.color_space ?? null,
      primaries: video.color_primaries ?? null,
      transfer: video.color_transfer ?? null,
    },
    audio: sideStreams('audio'),
    subtitles: sideStreams('subtitle'),
    hasChapters: chapters.length > 0,
  };
}

/** Bytes 10 and 11 of the head of Opus, which are in the first line: "00000000: 4f70 7573 4865 6164 0101 3801 …". */
function preSkipIn(extradata: string): number {
  const digits = /^0+: ((?:[\da-f]{4} ){6})/m.exec(extradata)?.[1]?.replaceAll(' ', '') ?? '';
  return digits === '' ? 0 : Buffer.from(digits, 'hex').readUInt16LE(10);
}

/** @throws {M2fpError} `M2FP_NO_IMAGE` */
async function checkFile(file: string): Promise<void> {
  const stats = await stat(file).catch((error: unknown) => {
    throw new M2fpError('M2FP_NO_IMAGE', `${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  });
  // It is read twice: first for its pictures, then for its sound.
  if (!stats.isFile()) throw new M2fpError('M2FP_NO_IMAGE', `${file} is no file: give the path of a video`);
}

/**
 * How many frames a file has, as it was written.
 * @throws {M2fpError} where it cannot be read
 */
export async function countFrames(ffmpeg: Ffmpeg, file: string): Promise<number> {
  const { streams = [] } = await ask(ffmpeg, file, [
    '-select_streams',
    'V:0',
    '-count_packets',
    '-show_streams',
  ]);
  return Number(streams[0]?.nb_read_packets ?? 0);
}

/**
 * The sizes that its frames have, `640 x 480`, in their order: another one begins with a key frame.
 * @param signal ends it
 * @returns empty where it cannot be read, or was ended
 */
export async function sizesOf(ffmpeg: Ffmpeg, file: string, signal: AbortSignal): Promise<string[]> {
  const asked = ['-skip_frame', 'nokey', '-select_streams', 'V:0', '-show_entries', 'frame=width,height'];
  try {
    const { frames = [] } = await ask(ffmpeg, file, asked, signal);
    return [...new Set(frames.map(({ width, height }) => `${width} x ${height}`))];
  } catch {
    return [];
  }
}

async function ask(
  ffmpeg: Ffmpeg,
  file: string,
  what: readonly string[],
  signal?: AbortSignal,
): Promise<Probed> {
  const program = ffprobeOf(ffmpeg);
  try {
    const child = startProgram(program, ['-v', 'error', '-print_format', 'json', ...what, `file:${file}`]);
    child.process.stdin!.on('error', () => {}).end();
    signal?.addEventListener('abort', () => child.process.kill('SIGKILL'));
    const [output, { code, words }] = await Promise.all([buffer(child.process.stdout!), child.ended]);
    if (code !== 0) throw videoError(`${file} cannot be read`, words, 'M2FP_UNSUPPORTED_FORMAT');
    return JSON.parse(output.toString('utf8')) as Probed;
  } catch (error) {
    if (error instanceof M2fpError) throw error;
    throw new M2fpError(
      'M2FP_ENGINE_UNAVAILABLE',
      `"${program}" cannot be started (${(error as Error).message}): it comes with ffmpeg. ${INSTALL_LINES}`,
      { cause: error },
    );
  }
}

/** Some files tell nothing of it though their frames do: those of DV cameras, and MPEG-4 in AVI. */
function mayBeInterlaced({ field_order: order = 'unknown', pix_fmt: format = '' }: ProbedStream): boolean {
  return ['tt', 'bb', 'tb', 'bt'].includes(order) || (order === 'unknown' && /^yuvj?\d/.test(format));
}

/** A cover or a thumbnail, which ffmpeg does not count as video (`V`) either. */
function isPicture({ disposition = {} }: ProbedStream): boolean {
  return disposition['attached_pic'] === 1 || disposition['timed_thumbnails'] === 1;
}

function rateOf({ avg_frame_rate: average, r_frame_rate: real }: ProbedStream): Ratio {
  const isSound = (rate: Ratio | null): rate is Ratio => rate !== null && rate.num / rate.den <= MOST_RATE;
  return [readRatio(average), readRatio(real)].find(isSound) ?? USUAL_RATE;
}

/** @param seconds that it lasts; NaN where the file does not tell */
function framesOf({ nb_frames: counted }: ProbedStream, rate: Ratio, seconds: number): number | null {
  const frames = Number(counted ?? Math.round((seconds * rate.num) / rate.den));
  return Number.isSafeInteger(frames) && frames > 0 ? frames : null;
}
