/** The connected regions of a mask, as runs along its rows. */
import { forEachSlice } from '../../image/slices.ts';

/** Runs in the order of rows, and from left to right within a row. */
export interface Regions {
  /** Where each row's runs begin, and at the end how many runs there are. */
  rows: Uint32Array;
  /** First pixel of each run in its row, and the one after its last. */
  from: Uint32Array;
  to: Uint32Array;
  /** The region of each run, numbered from 0 by their first runs. */
  region: Uint32Array;
  /** Pixels of each region. */
  areas: number[];
}

/**
 * @param mask width * height bytes, row-major, 0 or 1
 * @param value the pixels that are looked at: those inside (1) or those outside (0)
 * @param diagonal whether pixels that touch at a corner only are of one region
 */
export async function regionsIn(
  mask: Uint8Array,
  width: number,
  height: number,
  { value, diagonal }: { value: 0 | 1; diagonal: boolean },
): Promise<Regions> {
  const rows = new Uint32Array(height + 1);
  await forEachSlice(height, 2 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      let count = 0;
      for (let x = 0, p = y * width; x < width; x++, p++) {
        if (mask[p] === value && (x === 0 || mask[p - 1] !== value)) count++;
      }
      rows[y + 1] = count;
    }
  });
  for (let y = 0; y < height; y++) rows[y + 1]! += rows[y]!;

  const count = rows[height]!;
  const from = new Uint32Array(count);
  const to = new Uint32Array(count);
  /** A run of the same region that came before, the run itself where it is the first. */
  const parents = new Uint32Array(count);
  const rootOf = (run: number): number => {
    while (parents[run] !== run) run = parents[run] = parents[parents[run]!]!;
    return run;
  };
  const reach = diagonal ? 1 : 0;
  await forEachSlice(height, 4 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      let run = rows[y]!;
      for (let x = 0, p = y * width; x < width; x++, p++) {
        if (mask[p] !== value) continue;
        if (x === 0 || mask[p - 1] !== value) from[run] = x;
        if (x + 1 === width || mask[p + 1] !== value) to[run++] = x + 1;
      }
      let above = y === 0 ? 0 : rows[y - 1]!;
      for (run = rows[y]!; run < rows[y + 1]!; run++) {
        parents[run] = run;
        while (above < rows[y]! && to[above]! + reach <= from[run]!) above++;
        for (let other = above; other < rows[y]! && from[other]! < to[run]! + reach; other++) {
          const [a, b] = [rootOf(other), rootOf(run)];
          parents[Math.max(a, b)] = Math.min(a, b);
        }
      }
    }
  });

  const region = new Uint32Array(count);
  const areas: number[] = [];
  await forEachSlice(count, 4, (first, end) => {
    for (let run = first; run < end; run++) {
      const root = rootOf(run);
      region[run] = root === run ? areas.push(0) - 1 : region[root]!;
      areas[region[run]!]! += to[run]! - from[run]!;
    }
  });
  return { rows, from, to, region, areas };
}

/** Calls `visit` for each run, row by row. */
export async function eachRun({ rows }: Regions, visit: (run: number, y: number) => void): Promise<void> {
  const height = rows.length - 1;
  const perRow = Math.ceil(rows[height]! / Math.max(1, height));
  await forEachSlice(height, 64 * (perRow + 1), (first, end) => {
    for (let y = first; y < end; y++) for (let run = rows[y]!; run < rows[y + 1]!; run++) visit(run, y);
  });
}

/** The runs of all regions, those of each region together, from top to bottom. */
export interface SortedRuns {
  /** Where each region's runs begin, and at the end how many runs there are. */
  starts: Uint32Array;
  runs: Uint32Array;
  /** The row of each of `runs`. */
  rows: Uint32Array;
}

/** By region: noise may have millions of them, too many for lists of their own. */
export async function sortByRegion(regions: Regions): Promise<SortedRuns> {
  const { region, areas } = regions;
  const starts = new Uint32Array(areas.length + 1);
  await eachRun(regions, (run) => {
    starts[region[run]! + 1]!++;
  });
  for (let at = 0; at < areas.length; at++) starts[at + 1]! += starts[at]!;
  const next = starts.slice();
  const runs = new Uint32Array(region.length);
  const rows = new Uint32Array(region.length);
  await eachRun(regions, (run, y) => {
    const at = next[region[run]!]!++;
    runs[at] = run;
    rows[at] = y;
  });
  return { starts, runs, rows };
}

/** `mask` with what it surrounds: the pixels outside that have no way to the edges but through corners. */
export async function fillHoles(mask: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  const around = await regionsIn(mask, width, height, { value: 0, diagonal: false });
  const isOpen = new Uint8Array(around.areas.length);
  await eachRun(around, (run, y) => {
    const touches = y === 0 || y === height - 1 || around.from[run] === 0 || around.to[run] === width;
    if (touches) isOpen[around.region[run]!] = 1;
  });
  const filled = mask.slice();
  await eachRun(around, (run, y) => {
    if (isOpen[around.region[run]!] === 0)
      filled.fill(1, y * width + around.from[run]!, y * width + around.to[run]!);
  });
  return filled;
}

/** The largest connected region of `mask`, the upper one of equals. */
export async function largestRegion(mask: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  const regions = await regionsIn(mask, width, height, { value: 1, diagonal: true });
  let largest = 0;
  regions.areas.forEach((area, at) => {
    if (area > regions.areas[largest]!) largest = at;
  });
  const kept = new Uint8Array(mask.length);
  await eachRun(regions, (run, y) => {
    if (regions.region[run] === largest)
      kept.fill(1, y * width + regions.from[run]!, y * width + regions.to[run]!);
  });
  return kept;
}
