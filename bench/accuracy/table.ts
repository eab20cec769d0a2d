/** The figures as text. */
import type { Figures } from './judge.ts';

const ROWS: [text: string, key: Exclude<keyof Figures, 'classes'>][] = [
  ['mIoU', 'miou'],
  ['AP^p_50', 'apP50'],
  ['AP^p_vol', 'apPVol'],
  ['PCP_50', 'pcp50'],
  ['AP^r_50', 'apR50'],
  ['AP^r 0.5..0.9', 'apR'],
  ['AP^r_vol', 'apRVol'],
  ['foreground IoU', 'foregroundIou'],
  ['person AP50', 'personAp50'],
  ['link', 'link'],
  ['link by mask', 'linkByMask'],
  ['linked parts', 'linkedParts'],
  ['people', 'people'],
];
const COUNTS = new Set<keyof Figures>(['linkedParts', 'people']);

function share(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : value.toFixed(4);
}

/** One line a figure, one column a variant; the IoU of each label last. */
export function table(columns: readonly { name: string; figures: Figures }[]): string[] {
  const rows = ROWS.map(([text, key]) => [
    text,
    ...columns.map(({ figures }) => (COUNTS.has(key) ? String(figures[key]) : share(figures[key]))),
  ]);
  const labels = new Set(columns.flatMap(({ figures }) => Object.keys(figures.classes)));
  const classes = [...labels].map((label) => [
    `IoU ${label}`,
    ...columns.map(({ figures }) => share(figures.classes[label])),
  ]);
  const lines = [['', ...columns.map(({ name }) => name)], ...rows, ...classes];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
}
