/** The system's ffmpeg: found, asked for its version, or told how to get it. */
import { buffer } from 'node:stream/consumers';
import { startProgram } from './child-process.ts';

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
    const child = startProgram(file, ['-hide_banner', '-version']);
    child.process.stdin?.on('error', () => {}).end();
    const timer = setTimeout(() => child.process.kill('SIGKILL'), PATIENCE);
    try {
      const [output] = await Promise.all([buffer(child.process.stdout!), child.ended]);
      return output.toString('utf8', 0, 200);
    } finally {
      clearTimeout(timer);
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
