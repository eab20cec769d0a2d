/** How the frames of a video become one again: with what of this ffmpeg, and what becomes of sound and subtitles. */
import type { Ffmpeg } from '../../ffmpeg.ts';
import { audioFor, containerOf, encoderFor, encodersOf, subtitlesFor } from './container.ts';
import { type Encoding, encodedSize } from './ffmpeg-arguments.ts';
import type { SideStream } from './probe.ts';

export interface EncodingPlan {
  encoding: Encoding;
  /** What does not become as it was, a line each. */
  notes: string[];
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` for an ending that is no video's; `M2FP_ENGINE_UNAVAILABLE` without an encoder */
export async function planEncoding(
  ffmpeg: Ffmpeg,
  output: string,
  given: Pick<Encoding, 'source' | 'facts' | 'format' | 'start' | 'keepsMetadata'> & { keepsAudio: boolean },
): Promise<EncodingPlan> {
  const { keepsAudio, ...known } = given;
  const container = containerOf(output);
  const encoders = await encodersOf(ffmpeg);
  const encoder = encoderFor(container, ffmpeg, encoders);
  const audio = audioFor(container, keepsAudio ? known.facts.audio : [], encoders);
  const subtitles = subtitlesFor(container, known.facts.subtitles);
  const encoding: Encoding = {
    ...known,
    container,
    encoder,
    audio: audio.copied,
    subtitles: subtitles.copied,
    major: ffmpeg.major,
  };
  return { encoding, notes: notesOf(encoding, [...audio.left, ...subtitles.left]) };
}

function notesOf(
  { container, encoder, audio, subtitles, format }: Encoding,
  left: readonly SideStream[],
): string[] {
  const { width, height } = encodedSize(format, encoder);
  const [best] = container.encoders;
  const changed = [...audio, ...subtitles].filter((stream) => stream.encoder !== 'copy');
  return [
    ...(encoder === best
      ? []
      : [`This ffmpeg has no ${best!.name}: ${encoder.name} makes the video, larger or less good`]),
    ...(width === format.width && height === format.height
      ? []
      : [`The sides become even, ${width} x ${height}: the pixels at the edge are there twice`]),
    ...changed.map(
      ({ codec, encoder: becomes }) =>
        `${codec} becomes ${becomes}: ${container.name} cannot hold it as it is`,
    ),
    ...left.map(({ codec }) => `${codec} is left out: ${container.name} cannot hold it`),
  ];
}
