/**
 * What ffmpeg writes of the frames that it decodes (`-f framecrc`), between its own words: how large they are, and when each
 * is shown.
 */
import { type Ratio, readRatio } from './ratio.ts';

/** Characters of ffmpeg's own words that are kept. */
const MOST_WORDS = 4096;

export interface FrameFormat {
  /** Upright, pixels. */
  width: number;
  height: number;
  /** Seconds of a tick. */
  timeBase: Ratio;
  /** Width of a pixel to its height; null where that is not told, or 1. */
  pixelAspect: Ratio | null;
}

/** A frame's line. */
export interface FrameLine {
  /** When it is shown; null where that is not known. */
  ticks: number | null;
  /** Of its pixels. */
  bytes: number;
}

/** Reads them out of the error output. */
export class FrameLines {
  #rest = '';
  readonly #found = new Map<string, string>();
  readonly #onLine: (line: FrameLine) => void;
  #words = '';

  constructor(onLine: (line: FrameLine) => void) {
    this.#onLine = onLine;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#read(line.trimEnd());
  }

  /** Known before the first line. */
  get format(): FrameFormat | undefined {
    const timeBase = readRatio(this.#found.get('tb'));
    const [, width, height] = /^(\d+)x(\d+)$/.exec(this.#found.get('dimensions') ?? '') ?? [];
    if (timeBase === null || width === undefined) return undefined;
    const aspect = readRatio(this.#found.get('sar'));
    return {
      width: Number(width),
      height: Number(height),
      timeBase,
      pixelAspect: aspect === null || aspect.num === aspect.den ? null : aspect,
    };
  }

  /** The end of what ffmpeg said besides, trimmed. */
  get words(): string {
    return `${this.#words}${this.#rest}`.trim();
  }

  #read(line: string): void {
    // Stream, decoding time, time, duration, bytes, check sum.
    const [, ticks, bytes] = /^0,\s*\S+,\s*(-?\d+|NOPTS),\s*-?\d+,\s*(\d+),/.exec(line) ?? [];
    if (ticks !== undefined) {
      this.#onLine({ ticks: ticks === 'NOPTS' ? null : Number(ticks), bytes: Number(bytes) });
      return;
    }
    const [, name, value] = /^#(\w+)(?: 0)?: (.*)$/.exec(line) ?? [];
    if (name !== undefined) this.#found.set(name, value!);
    else this.#words = `${this.#words}${line}\n`.slice(-MOST_WORDS);
  }
}
