/** What the ending of a video's name says: the container, and what can be in it. */
import { extname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { startProgram } from '../../child-process.ts';
import { M2fpError } from '../../errors.ts';
import type { Ffmpeg } from '../../ffmpeg.ts';
import type { SideStream } from './probe.ts';

export interface Container {
  /** As people call it. */
  name: string;
  /** As ffmpeg calls it. */
  format: string;
  /** Encoders of ffmpeg for the video, the best first. */
  encoders: readonly Encoder[];
  /** What can be copied as it is. */
  audio: RegExp;
  subtitles: RegExp;
  /** What all other sound becomes, and text that is no picture. */
  audioEncoders: readonly string[];
  subtitleEncoder: string;
}

export interface Encoder {
  name: string;
  options: readonly string[];
  /** Whether sides must be even. */
  isEven: boolean;
  /** Ticks of a second that it takes at most. */
  mostTicks: number;
}

const ANY = Infinity;
/** MPEG-4's own bound; so many ticks fit all usual rates. */
const MPEG4_TICKS = 60_000;

const H264: readonly Encoder[] = [
  { name: 'libx264', options: ['-preset', 'fast', '-crf', '20'], isEven: true, mostTicks: ANY },
  { name: 'libopenh264', options: ['-b:v', '8M'], isEven: true, mostTicks: ANY },
  { name: 'mpeg4', options: ['-q:v', '3'], isEven: true, mostTicks: MPEG4_TICKS },
];
const VPX: readonly Encoder[] = [
  {
    name: 'libvpx-vp9',
    options: ['-crf', '28', '-b:v', '0', '-row-mt', '1', '-deadline', 'good', '-cpu-used', '4'],
    isEven: false,
    mostTicks: ANY,
  },
  { name: 'libvpx', options: ['-crf', '10', '-b:v', '6M'], isEven: false, mostTicks: ANY },
];

const MP4: Container = {
  name: 'MP4',
  format: 'mp4',
  encoders: H264,
  // FLAC not: older ffmpegs hold it there for an experiment, and refuse.
  audio: /^(aac|mp[23]|e?ac3|alac|opus)$/,
  subtitles: /^mov_text$/,
  audioEncoders: ['aac'],
  subtitleEncoder: 'mov_text',
};

const CONTAINERS: Readonly<Record<string, Container>> = {
  '.mp4': MP4,
  '.m4v': MP4,
  '.mov': { ...MP4, name: 'QuickTime', format: 'mov', audio: /^(aac|mp[23]|e?ac3|alac|pcm_\w+)$/ },
  '.mkv': {
    name: 'Matroska',
    format: 'matroska',
    encoders: H264,
    audio: /^(aac|mp[23]|e?ac3|alac|opus|vorbis|flac|dts|truehd|pcm_[su]\d+le|pcm_f\d+le)$/,
    subtitles: /^(subrip|ass|ssa|webvtt|hdmv_pgs_subtitle|dvd_subtitle|dvb_subtitle)$/,
    audioEncoders: ['aac'],
    subtitleEncoder: 'srt',
  },
  '.webm': {
    name: 'WebM',
    format: 'webm',
    encoders: VPX,
    audio: /^(opus|vorbis)$/,
    subtitles: /^webvtt$/,
    audioEncoders: ['libopus', 'libvorbis'],
    subtitleEncoder: 'webvtt',
  },
};

/** With their dots. */
export const ENDINGS = Object.keys(CONTAINERS);

/** Subtitles that are text. */
const TEXT_SUBTITLES = /^(mov_text|subrip|srt|ass|ssa|webvtt|text)$/;

/** @throws {M2fpError} `M2FP_BAD_OPTION` for another ending */
export function containerOf(file: string): Container {
  const container = CONTAINERS[extname(file).toLowerCase()];
  if (container !== undefined) return container;
  throw new M2fpError('M2FP_BAD_OPTION', `--out ${file}: the name must end in one of ${ENDINGS.join(', ')}`);
}

/** What becomes of a stream beside the video. */
export interface Copied extends SideStream {
  /** `copy`, or the encoder. */
  encoder: string;
}

export interface SideStreams {
  copied: Copied[];
  /** What cannot be in the container in any form. */
  left: SideStream[];
}

/** @param encoders that this ffmpeg has */
export function audioFor(
  { audio, audioEncoders }: Container,
  streams: readonly SideStream[],
  encoders: ReadonlySet<string>,
): SideStreams {
  const encoder = audioEncoders.find((name) => encoders.has(name));
  return sorted(streams, ({ codec }) => (audio.test(codec) ? 'copy' : encoder));
}

export function subtitlesFor(
  { subtitles, subtitleEncoder }: Container,
  streams: readonly SideStream[],
): SideStreams {
  return sorted(streams, ({ codec }) =>
    subtitles.test(codec) ? 'copy' : TEXT_SUBTITLES.test(codec) ? subtitleEncoder : undefined,
  );
}

function sorted(
  streams: readonly SideStream[],
  encoderOf: (stream: SideStream) => string | undefined,
): SideStreams {
  const found: SideStreams = { copied: [], left: [] };
  for (const stream of streams) {
    const encoder = encoderOf(stream);
    if (encoder === undefined) found.left.push(stream);
    else found.copied.push({ ...stream, encoder });
  }
  return found;
}

/** The names of all encoders that an ffmpeg has. */
export async function encodersOf({ path }: Ffmpeg): Promise<ReadonlySet<string>> {
  const child = startProgram(path, ['-hide_banner', '-encoders']);
  child.process.stdin!.on('error', () => {}).end();
  const [output] = await Promise.all([buffer(child.process.stdout!), child.ended]);
  return new Set(Array.from(output.toString('utf8').matchAll(/^ [VAS]\S{5} (\S+)/gm), ([, name]) => name!));
}

/** @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` where an ffmpeg has none of them */
export function encoderFor(
  container: Container,
  { path, version }: Ffmpeg,
  has: ReadonlySet<string>,
): Encoder {
  const found = container.encoders.find(({ name }) => has.has(name));
  if (found !== undefined) return found;
  const wanted = container.encoders.map(({ name }) => name).join(', ');
  throw new M2fpError(
    'M2FP_ENGINE_UNAVAILABLE',
    `${path} ${version} can make no ${container.name}: it was built without ${wanted}. Install an ffmpeg that has one of ` +
      'them, or let --out end in .mp4, .mkv or .webm.',
  );
}
