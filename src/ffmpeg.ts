/** The system's ffmpeg: found, asked for its version, or told how to get it. */
import { startGroup } from './child-process.ts';

export interface Ffmpeg {
  /** What to start. */
  path: string;
  /** As it tells it: `5.1.9-0+deb12u1`, `n7.1`, `2024-01-01-git-…`. */
  version: string;
  /** The first number of it; undefined for a build that tells a date. */
  major: number | undefined;
}

/** Why there is no ffmpeg. */
export class FfmpegMissing extends Error {
  override readonly name = 'FfmpegMissing';
}

/** How to get it on each system, in words of its own. */
export const INSTALL_LINES =
  'Debian, Ubuntu, Raspberry Pi OS: apt-get install ffmpeg; Alpine (also the image of Node-RED): apk add ffmpeg; ' +
  'macOS: brew install ffmpeg; Windows: winget install ffmpeg';

/** Milliseconds that it may take to tell its version. */
const PATIENCE = 10_000;

/** Milliseconds after its end in which the rest of what it said comes. */
const GRACE = 1000;

/** Characters of which the version is among the first. */
const MAX_OUTPUT = 4096;

/**
 * @param path of the program; blank: `ffmpeg`, wherever the PATH leads
 * @throws {FfmpegMissing} where it is not there, does not run, or is another program
 */
export async function findFfmpeg(path = ''): Promise<Ffmpeg> {
  const file = path.trim() || 'ffmpeg';
  const told = await tellVersion(file);
  const version = /^ffmpeg version (\S+)/.exec(told)?.[1];
  if (version === undefined) throw new FfmpegMissing(`${file} is there, but it is no ffmpeg.`);
  const major = /^n?(\d+)\.\d/.exec(version)?.[1];
  return { path: file, version, major: major === undefined ? undefined : Number(major) };
}

/** The ffprobe that came with an ffmpeg: where that was found, under its own name. */
export function ffprobeOf({ path }: Pick<Ffmpeg, 'path'>): string {
  return path.replace(/ffmpeg(?=[^/\\]*$)/i, 'ffprobe');
}

async function tellVersion(file: string): Promise<string> {
  try {
    const program = startGroup(file, ['-hide_banner', '-version']);
    const { process } = program;
    let output = '';
    process.stdin!.on('error', () => {}).end();
    process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < MAX_OUTPUT) output += text;
    });
    const end = (): void => {
      program.kill('SIGKILL');
      program.hangUp();
    };
    const timer = setTimeout(end, PATIENCE);
    let grace: NodeJS.Timeout | undefined;
    // What a script leaves running keeps the pipes open.
    process.once('exit', () => (grace = setTimeout(end, GRACE)));
    try {
      await program.ended;
      return output;
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
    }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? `ffmpeg is not installed, or not found as "${file}"`
        : `"${file}" cannot be started (${code || message})`;
    throw new FfmpegMissing(`${reason}. ${INSTALL_LINES}. Where it lies elsewhere, give its path.`, {
      cause: error,
    });
  }
}
