/** `m2fp video`: a video with people hidden, coloured or in boxes. */
import { resolve } from 'node:path';
import { systemClock } from '../clock.ts';
import { type Engine, type ParseOptions, shutdownEngines } from '../engine/index.ts';
import { asM2fpError, M2fpError } from '../errors.ts';
import { BoxesView } from '../export/video/boxes-view.ts';
import { ColorizeView } from '../export/video/colorize-view.ts';
import { containerOf, ENDINGS } from '../export/video/container.ts';
import { convertVideo, type VideoJob, type VideoSummary } from '../export/video/convert-video.ts';
import { RedactView } from '../export/video/redact-view.ts';
import { type View, type ViewName, VIEWS } from '../export/video/view.ts';
import { type Ffmpeg, FfmpegMissing, findFfmpeg } from '../ffmpeg.ts';
import { DEFAULT_MIN_SCORE } from '../parsing/index.ts';
import { tryLock } from '../store/lock.ts';
import { jsonOption } from './batch.ts';
import { Estimate } from './estimate.ts';
import {
  choiceOption,
  type Command,
  parseOptions,
  PARSING_OPTIONS,
  readArguments,
  type Terminal,
} from './command.ts';
import { interruptible } from './interrupt.ts';
import { ENGINE_HELP, ENGINE_OPTIONS, engineChoice, openEngine, PATIENT } from './open-engine.ts';
import { ProgressBar } from './progress.ts';
import { DEFAULT_STORE, STORE_OPTIONS, storeHelp } from './stores.ts';
import { checkNames, everyOption, MOST_EVERY, viewOptionsOf } from './video-options.ts';

const OPTIONS = [
  'out',
  'view',
  'every',
  'boxes',
  'options',
  ...PARSING_OPTIONS,
  'ffmpeg',
  ...ENGINE_OPTIONS,
  ...STORE_OPTIONS,
] as const;
const FLAGS = ['flip', 'no-audio', 'keep-metadata'] as const;

/** Before, options for streams of frames are missing. */
const OLDEST_FFMPEG = 4;

/** While it works, for the eyes. */
const DOING: Readonly<Record<ViewName, string>> = {
  redact: 'Redacting',
  colorize: 'Colouring',
  boxes: 'Drawing',
};

export const video: Command = {
  name: 'video',
  summary: 'hide the people in a video file, or show their parts or boxes',
  help: `Usage: m2fp video VIDEO --out FILE [options]

Makes another video out of VIDEO: with faces hidden (default), with the parts of people in colours, or with boxes around
people. Pictures are encoded anew, as H.264 (VP9 in .webm); sound is copied bit for bit where the new file can hold it, and
so are subtitles and chapters. Size, rate and times of the frames stay, also of videos without a steady rate; videos of
phones are upright. Needs ffmpeg, which decodes and encodes.

A summary is printed as JSON. FILE gets its name when it is whole, and takes the place of one that is there.

Options:
  --out FILE          the new video: ${ENDINGS.slice(0, -1).join(', ')} or ${ENDINGS.at(-1)}
  --view NAME         redact (default), colorize or boxes
  --every N           parse every Nth frame only, 1 (default) to ${MOST_EVERY}: nearly N times as fast. Between two parsed
                      frames all is hidden that either hides, and what lies between them; colours are those of the nearer
                      frame, boxes move evenly. Whoever comes and goes between two parsed frames is not seen
  --options JSON      how to redact or colorize, by the names that msg.m2fp has, or a file with that:
                      '{"redact": {"method": "pixelate", "keep": "track 2"}}'
  --boxes FILE        also write a table (CSV) of where people are in each frame, and what is hidden of them
  --no-audio          leave out the sound, by which people are known, too
  --keep-metadata     keep what the file tells of itself: title, time, place, camera; without it, only languages stay
  --model MODEL       as for "m2fp parse" (default: bundled, the small model that ships with the package)
  --store DIR         where models are kept (default: ${DEFAULT_STORE})
${storeHelp(22)}
  --short-side N      pixels that a frame's shorter side is scaled to for the model (default: the model's)
  --long-side N       pixels that its longer side must not pass (default: the model's)
  --flip              parse the mirrored frame too: steadier, twice the time
  --min-score N       minimum score of persons and parts, 0.1 to 1 (default: ${DEFAULT_MIN_SCORE}); redact hides what scores less, too
  --ffmpeg PATH       ffmpeg, where it is not on the PATH; ffprobe lies beside it
${ENGINE_HELP}  --help              show this text

What is hidden in a parsed frame is hidden in the parsed frames beside it, too, so that a face that is missed once does not
show. A frame that cannot be parsed is black, and so are those beside it that were not parsed.

Exit code 0: done; 1: done, but some frames could not be parsed; or, with an error, not done, and there is no FILE.

Examples:
  m2fp video party.mp4 --out party-blurred.mp4
  m2fp video party.mp4 --out fast.mp4 --every 5 --processes 0
  m2fp video party.mp4 --out people.mp4 --view boxes --boxes people.csv
`,
  run,
};

async function run(args: string[], terminal: Terminal): Promise<number> {
  const typed = readArguments(video, args, { takes: ['VIDEO'], options: OPTIONS, flags: FLAGS });
  const { options, flags } = typed;
  const [input = ''] = typed.arguments;
  const { out: output, boxes } = options;
  if (output === undefined) {
    throw new M2fpError('M2FP_BAD_OPTION', '--out is missing: name the new video (see m2fp video --help)');
  }
  containerOf(output);
  const name = choiceOption('view', options.view, VIEWS) ?? 'redact';
  const every = everyOption(options.every);
  const viewOptions = viewOptionsOf(
    options.options === undefined ? {} : await jsonOption(options.options),
    name,
  );
  const parse = parseOptions(options, flags, DEFAULT_MIN_SCORE);
  const choice = engineChoice(options);
  await checkNames(input, output, boxes);
  const ffmpeg = await ffmpegFor(options.ffmpeg);
  return interruptible(async (signal) => {
    // Until all is cleared up, a second Ctrl+C is heard, too.
    const lock = await lockFor(output);
    try {
      const engine = await openEngine('video', choice, terminal);
      const view = VIEW_OF[name](engine.info().manifest.labels, viewOptions);
      const job = {
        input,
        output,
        boxes,
        view,
        every,
        ffmpeg,
        signal,
        keepsAudio: flags['no-audio'] !== true,
        keepsMetadata: flags['keep-metadata'] === true,
        ...parsingWith(engine, parse, signal),
      };
      return await convert(job, name, terminal);
    } finally {
      await shutdownEngines();
      await lock.release();
    }
  }, `${output} is as it was`);
}

/** How pictures are parsed, and how many at a time: all processes busy, and one picture ready. */
function parsingWith(
  engine: Engine,
  options: ParseOptions,
  signal: AbortSignal,
): Pick<VideoJob, 'parse' | 'parallel'> {
  return {
    parse: (image) => engine.parse({ image, options, queue: PATIENT, signal }),
    parallel: Math.max(1, engine.info().processes.length) + 1,
  };
}

/** @returns the exit code */
async function convert(
  job: Omit<VideoJob, 'onProgress' | 'onNote'>,
  name: ViewName,
  { out, err }: Terminal,
): Promise<number> {
  const start = performance.now();
  const bar = new ProgressBar(err);
  let estimate: Estimate | undefined;
  let summary: VideoSummary;
  try {
    summary = await convertVideo({
      ...job,
      onProgress: (frames, total) => {
        estimate ??= new Estimate(total ?? undefined);
        const counts = { done: frames, skipped: 0, failed: 0 };
        bar.show(DOING[name], estimate.share(counts), estimate.note(counts));
      },
      onNote: (line) => {
        bar.close();
        err.write(`m2fp: ${line}\n`);
      },
    });
  } finally {
    bar.close();
  }
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  const { input: file, output, boxes } = job;
  const files = { file, out: output, ...(boxes !== undefined && { boxes }), view: name };
  out.write(`${JSON.stringify({ ...files, ...summary, seconds }, undefined, 2)}\n`);
  return summary.failed > 0 ? 1 : 0;
}

const VIEW_OF: Readonly<Record<ViewName, (labels: readonly string[], options: object) => View<unknown>>> = {
  redact: (labels, options) => new RedactView(labels, options),
  colorize: (labels, options) => new ColorizeView(labels, options),
  boxes: () => new BoxesView(),
};

/** @throws M2fpError M2FP_ENGINE_UNAVAILABLE */
async function ffmpegFor(path: string | undefined): Promise<Ffmpeg> {
  try {
    const found = await findFfmpeg(path);
    if ((found.major ?? OLDEST_FFMPEG) >= OLDEST_FFMPEG) return found;
    throw new FfmpegMissing(`${found.path} is ffmpeg ${found.version}: take ${OLDEST_FFMPEG}.0 or newer`);
  } catch (error) {
    throw asM2fpError(error, 'M2FP_ENGINE_UNAVAILABLE');
  }
}

/** @throws M2fpError M2FP_BUSY where another run makes the same file; M2FP_NOT_KEPT where its folder cannot be written */
async function lockFor(output: string): Promise<NonNullable<Awaited<ReturnType<typeof tryLock>>>> {
  const lock = await tryLock(`${resolve(output)}.lock`, systemClock).catch((error: unknown) => {
    throw asM2fpError(error, 'M2FP_NOT_KEPT', `${output} cannot be written`);
  });
  if (lock !== undefined) {
    lock.releaseOnExit();
    return lock;
  }
  throw new M2fpError(
    'M2FP_BUSY',
    `Another run makes ${output}: wait until it has ended, or name another file`,
  );
}
