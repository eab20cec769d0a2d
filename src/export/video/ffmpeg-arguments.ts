/** What the two ffmpegs are told: the one that decodes, and the one that encodes. No shell reads it. */
import type { Container, Copied, Encoder } from './container.ts';
import type { FrameFormat } from './frame-lines.ts';
import type { SideStream, VideoFacts } from './probe.ts';
import { type Ratio, ratioText, toSeconds } from './ratio.ts';

const QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'error'];

/** No frame is doubled or left out. @param major of ffmpeg's version; undefined: a new one */
function everyFrame(major = Infinity): string[] {
  // The newer name came with 5.1, and 8 knows no other.
  return major <= 5 ? ['-vsync', 'passthrough'] : ['-fps_mode', 'passthrough'];
}

/**
 * Upright frames as bare pixels (red, green, blue; and opacity where there may be some) on the standard output, and a line
 * for each on the error output, see `FrameLines`.
 */
export function decodeArguments(file: string, facts: VideoFacts, major: number | undefined): string[] {
  const chain = [
    // Frames of two halves would be encoded with both side by side.
    ...(facts.mayBeInterlaced ? ['yadif=deint=interlaced'] : []),
    'scale=flags=accurate_rnd+full_chroma_int',
    `format=${facts.hasAlpha ? 'rgba' : 'rgb24'}`,
    'split[pixels][times]',
  ];
  const timeBase = ['-enc_time_base', ratioText(facts.timeBase)];
  const sideStreams = [...facts.audio, ...facts.subtitles];
  return [
    QUIET,
    ['-i', `file:${file}`],
    ['-filter_complex', `[0:V:0]${chain.join(',')}`],
    // First of all: a frame's line comes before its pixels, for which the pipe may have no room yet.
    ['-map', '[times]', ...everyFrame(major), '-c:v', 'rawvideo'],
    [...timeBase, '-flush_packets', '1', '-f', 'framecrc', 'pipe:2'],
    // Without, times that are not even are rounded until two are one, against which ffmpeg then has something to say.
    ['-map', '[pixels]', ...everyFrame(major), '-c:v', 'rawvideo', ...timeBase, '-f', 'rawvideo', 'pipe:1'],
    readForTimes(0, sideStreams.map(indexOf)),
  ].flat();
}

/**
 * Streams that are read, and go nowhere. Times of MPEG-TS and the like begin with the first of the streams that are read: both
 * ffmpegs must read the same ones, or the sound comes too early or too late.
 * @param input its number
 * @param streams as `-map` takes them
 */
function readForTimes(input: number, streams: readonly string[]): string[] {
  if (streams.length === 0) return [];
  return [...streams.flatMap((stream) => ['-map', `${input}:${stream}`]), '-c', 'copy', '-f', 'null', '-'];
}

const indexOf = ({ index }: SideStream): string => String(index);

export interface Encoding {
  /** The video that sound and subtitles come from. */
  source: string;
  facts: VideoFacts;
  format: FrameFormat;
  /** When the first frame is shown, ticks. */
  start: number;
  container: Container;
  encoder: Encoder;
  /** Sound and subtitles. */
  audio: readonly Copied[];
  subtitles: readonly Copied[];
  /** Title, place, camera and the like. */
  keepsMetadata: boolean;
  major: number | undefined;
}

/** Frames come as Matroska on the standard input, the first at 0. @param file that is written */
export function encodeArguments(file: string, encoding: Encoding): string[] {
  const { source, facts, format, start, container, encoder, keepsMetadata, major } = encoding;
  const { audio, subtitles } = encoding;
  const copied = new Set([...audio, ...subtitles].map(indexOf));
  const left = [...facts.audio, ...facts.subtitles].filter((stream) => !copied.has(indexOf(stream)));
  const late = audio
    .map((stream) => ({ ...stream, delay: opusDelay(stream, encoding) }))
    .filter(({ delay }) => delay > 0);
  return [
    QUIET,
    ['-itsoffset', toSeconds(start, format.timeBase).toFixed(6)],
    ['-f', 'matroska', '-i', 'pipe:0'],
    ['-i', `file:${source}`],
    // What is to come later is read once more.
    late.flatMap(({ delay }) => ['-itsoffset', delay.toFixed(6), '-i', `file:${source}`]),
    readForTimes(1, ['V:0', ...[...left, ...late].map(indexOf)]),
    late.flatMap(({ index: own }, at) => {
      const others = [...facts.audio, ...facts.subtitles].filter(({ index }) => index !== own);
      return readForTimes(2 + at, ['V:0', ...others.map(indexOf)]);
    }),
    ['-map', '0:v:0'],
    [...audio, ...subtitles].flatMap(({ index }) => {
      const at = late.findIndex((stream) => stream.index === index);
      return ['-map', `${at < 0 ? 1 : 2 + at}:${index}`];
    }),
    // What stands at each stream is copied with it, unless it is said so; that of chapters are titles that players show.
    keepsMetadata ? ['-map_metadata', '1'] : ['-map_metadata:g', '-1', '-map_metadata:s', '-1'],
    ['-map_chapters', facts.hasChapters ? '1' : '-1'],
    everyFrame(major),
    ['-enc_time_base', ratioText(ticksFor(encoder, format.timeBase))],
    ['-c:v', encoder.name, ...encoder.options],
    ['-vf', filters(format, encoder, facts).join(',')],
    colorOptions(facts),
    audio.flatMap((stream, at) => sideOptions('a', at, stream)),
    subtitles.flatMap((stream, at) => sideOptions('s', at, stream)),
    // Sound waits for the encoder, which looks far ahead.
    ['-max_muxing_queue_size', '9999'],
    /^(mp4|mov)$/.test(container.format) ? ['-movflags', '+faststart'] : [],
    ['-f', container.format, '-y', `file:${file}`],
  ].flat();
}

function ticksFor({ mostTicks }: Encoder, timeBase: Ratio): Ratio {
  return timeBase.den <= mostTicks ? timeBase : { num: 1, den: mostTicks };
}

function sideOptions(kind: 'a' | 's', at: number, { encoder, language }: Copied): string[] {
  return [
    [`-c:${kind}:${at}`, encoder],
    language === null ? [] : [`-metadata:s:${kind}:${at}`, `language=${language}`],
  ].flat();
}

/** What libopus puts in front, samples. */
const OPUS_PRE_SKIP = 312;
const OPUS_RATE = 48_000;

/**
 * Matroska tells how much of Opus comes before what is heard, and whoever reads takes that off the times. ffmpeg up to 5 does,
 * too, and does not put it on again when it writes: sound would come 7 ms earlier in each new video than in the one before.
 * @returns seconds that the sound must come later
 */
function opusDelay(
  { encoder, preSkip }: Copied,
  { container, major = Infinity }: Pick<Encoding, 'container' | 'major'>,
): number {
  if (major > 5 || !/^(matroska|webm)$/.test(container.format)) return 0;
  return (encoder === 'libopus' ? OPUS_PRE_SKIP : preSkip) / OPUS_RATE;
}

/** Sides that become even, with the pixels at the edge once more. @returns pixels */
export function encodedSize(
  { width, height }: { width: number; height: number },
  { isEven }: Encoder,
): { width: number; height: number } {
  return isEven ? { width: width + (width % 2), height: height + (height % 2) } : { width, height };
}

function filters(format: FrameFormat, encoder: Encoder, facts: VideoFacts): string[] {
  const { width, height } = encodedSize(format, encoder);
  const [right, bottom] = [width - format.width, height - format.height];
  const matrix = MATRICES[facts.color.space ?? ''];
  const toYuv = `scale=out_range=tv:flags=accurate_rnd${matrix === undefined ? '' : `:out_color_matrix=${matrix}`}`;
  const isOdd = right + bottom > 0;
  return [
    toYuv,
    ...(isOdd
      ? ['format=yuv444p', `pad=${width}:${height}`, `fillborders=right=${right}:bottom=${bottom}:mode=smear`]
      : []),
    'format=yuv420p',
    ...(format.pixelAspect === null ? [] : [`setsar=${format.pixelAspect.num}/${format.pixelAspect.den}`]),
  ];
}

/** Of the colour spaces that files name, those that the filter has a matrix for. */
const MATRICES: Readonly<Record<string, string>> = {
  bt709: 'bt709',
  smpte170m: 'smpte170m',
  bt470bg: 'bt470',
  smpte240m: 'smpte240m',
  fcc: 'fcc',
  bt2020nc: 'bt2020',
};
/** What may be named again. */
const PRIMARIES = /^(bt709|bt470bg|smpte170m|smpte240m|bt2020|smpte432)$/;
const TRANSFERS = /^(bt709|smpte170m|smpte240m|iec61966-2-1|bt2020-10|bt2020-12|smpte2084|arib-std-b67)$/;

/** What a player must know to show the colours of the source: none is told where the source tells none. */
function colorOptions({ color: { space, primaries, transfer } }: VideoFacts): string[] {
  return [
    ['-color_range', 'tv'],
    space !== null && space in MATRICES ? ['-colorspace', space] : [],
    primaries !== null && PRIMARIES.test(primaries) ? ['-color_primaries', primaries] : [],
    transfer !== null && TRANSFERS.test(transfer) ? ['-color_trc', transfer] : [],
  ].flat();
}
