/**
 * Masks as sorted run boundaries. A picture's pixels are numbered column by column (pixel (x, y) of a picture
 * of height h is x * h + y, the order of COCO's run-length encoding); `runs` holds [start, end) pairs in that
 * numbering, ascending, never empty and never touching. Area, box, overlap and painting cost as much as the
 * mask has runs, not pixels.
 */
import type { Box } from '../types.ts';

export type Runs = Uint32Array;

/** Collects runs that arrive in ascending order; joins those that touch. */
export class RunCollector {
  #runs = new Uint32Array(256);
  #length = 0;

  /** Appends [start, end); `start` must not lie before the end of the run before it. */
  add(start: number, end: number): void {
    if (this.#length > 0 && this.#runs[this.#length - 1] === start) {
      this.#runs[this.#length - 1] = end;
      return;
    }
    if (this.#length === this.#runs.length) {
      const grown = new Uint32Array(this.#runs.length * 2);
      grown.set(this.#runs);
      this.#runs = grown;
    }
    this.#runs[this.#length++] = start;
    this.#runs[this.#length++] = end;
  }

  /** The runs collected since the last call. */
  take(): Runs {
    const runs = this.#runs.slice(0, this.#length);
    this.#length = 0;
    return runs;
  }
}

/**
 * The positions, in column-major order, at which `map` (width * height bytes, row-major) holds another value
 * than at the position before it; position 0 counts where its value is not 0.
 *
 * Both passes read the map row by row, because walking it down its columns would miss the processor's cache
 * at every step: the first counts each column's changes, the second puts them where the counts say.
 */
function changes(map: Uint8Array, width: number, height: number): Uint32Array {
  const lastRow = (height - 1) * width;
  const next = new Uint32Array(width + 1);
  for (let x = 0; x < width; x++) {
    if (map[x]! !== (x === 0 ? 0 : map[lastRow + x - 1]!)) next[x + 1]!++;
  }
  for (let y = 1; y < height; y++) {
    for (let x = 0, at = y * width; x < width; x++, at++) {
      if (map[at]! !== map[at - width]!) next[x + 1]!++;
    }
  }
  for (let x = 0; x < width; x++) next[x + 1]! += next[x]!;
  const positions = new Uint32Array(next[width]!);
  for (let x = 0; x < width; x++) {
    if (map[x]! !== (x === 0 ? 0 : map[lastRow + x - 1]!)) positions[next[x]!++] = x * height;
  }
  for (let y = 1; y < height; y++) {
    for (let x = 0, at = y * width; x < width; x++, at++) {
      if (map[at]! !== map[at - width]!) positions[next[x]!++] = x * height + y;
    }
  }
  return positions;
}

/** The runs of every label in `labelMap` (width * height bytes, row-major): label -> runs, absent labels left out. */
export function runsByLabel(labelMap: Uint8Array, width: number, height: number): Map<number, Runs> {
  const collectors = new Map<number, RunCollector>();
  const positions = changes(labelMap, width, height);
  const close = (start: number, end: number) => {
    if (start === end) return;
    const label = labelMap[(start % height) * width + Math.floor(start / height)]!;
    let collector = collectors.get(label);
    if (collector === undefined) collectors.set(label, (collector = new RunCollector()));
    collector.add(start, end);
  };
  let start = 0;
  for (const position of positions) {
    close(start, position);
    start = position;
  }
  close(start, width * height);
  return new Map(
    [...collectors].toSorted(([a], [b]) => a - b).map(([label, collector]) => [label, collector.take()]),
  );
}

/** The runs of a row-major mask of width * height bytes; every byte that is not 0 belongs to it. */
export function runsOfMask(mask: Uint8Array, width: number, height: number): Runs {
  const collector = new RunCollector();
  let start = -1;
  for (const position of changes(mask, width, height)) {
    const set = mask[(position % height) * width + Math.floor(position / height)]! !== 0;
    if (set && start < 0) start = position;
    if (!set && start >= 0) {
      collector.add(start, position);
      start = -1;
    }
  }
  if (start >= 0) collector.add(start, width * height);
  return collector.take();
}

/** Pixels. */
export function runsArea(runs: Runs): number {
  let area = 0;
  for (let i = 0; i < runs.length; i += 2) area += runs[i + 1]! - runs[i]!;
  return area;
}

/** The smallest box around the mask in a picture of this height; all 0 for an empty mask. */
export function runsBox(runs: Runs, height: number): Box {
  if (runs.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
  const left = Math.floor(runs[0]! / height);
  const right = Math.floor((runs[runs.length - 1]! - 1) / height);
  let top = height;
  let bottom = -1;
  for (let i = 0; i < runs.length; i += 2) {
    const start = runs[i]!;
    const last = runs[i + 1]! - 1;
    const column = Math.floor(start / height) * height;
    if (last >= column + height) {
      // The run goes on in the next column: it touches the bottom of this one and the top of that.
      top = 0;
      bottom = height - 1;
      break;
    }
    top = Math.min(top, start - column);
    bottom = Math.max(bottom, last - column);
  }
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** Pixels that both masks hold. */
export function runsOverlap(a: Runs, b: Runs): number {
  let overlap = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const start = Math.max(a[i]!, b[j]!);
    const end = Math.min(a[i + 1]!, b[j + 1]!);
    if (end > start) overlap += end - start;
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return overlap;
}

/** Writes `value` to every pixel of the mask in `target`, whose pixels lie in column-major order. */
export function paintRuns(runs: Runs, target: Uint8Array, value: number): void {
  for (let i = 0; i < runs.length; i += 2) target.fill(value, runs[i], runs[i + 1]);
}

/**
 * Row-major bytes of a picture whose bytes lie in column-major order (or, with width and height exchanged,
 * the other way round). Goes in square blocks that fit the processor's cache.
 */
export function transpose(columns: Uint8Array, width: number, height: number): Buffer {
  const block = 64;
  const rows = Buffer.alloc(width * height);
  for (let left = 0; left < width; left += block) {
    const right = Math.min(left + block, width);
    for (let top = 0; top < height; top += block) {
      const bottom = Math.min(top + block, height);
      for (let y = top; y < bottom; y++) {
        for (let x = left, from = left * height + y, to = y * width + left; x < right; x++, from += height) {
          rows[to++] = columns[from]!;
        }
      }
    }
  }
  return rows;
}
