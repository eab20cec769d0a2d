/** Where people are in each frame of a video. Between two parsed frames they move evenly. */
import type { Box } from '../../parsing/types.ts';
import type { TrackedParsing } from '../../people/track/types.ts';
import { type HiddenArea, nameOf, nearer } from './view.ts';

export interface PersonBox extends Box {
  /** See {@link nameOf}. */
  name: string;
  /** The number that stays; null where there is none. */
  track: number | null;
  score: number;
}

/** Of those who are sure. */
export function boxesOf({ persons }: Pick<TrackedParsing, 'persons'>, frame: number): PersonBox[] {
  return persons.map((person) => {
    const { track, score, box } = person;
    return { name: nameOf(person, frame), track, score, ...box };
  });
}

/**
 * The boxes in a frame between two parsed ones. Whoever is in one of them only stays where he is, in the half of the way that is
 * nearer to it.
 * @param share how far it is from `before` to `after`, 0 to 1
 */
export function boxesBetween(
  before: readonly PersonBox[] | undefined,
  after: readonly PersonBox[] | undefined,
  share: number,
): PersonBox[] {
  const near = nearer(before, after, share) ?? [];
  const others = new Map((near === before ? after : before)?.map((box) => [box.name, box]));
  return near.map((box) => {
    const other = others.get(box.name);
    if (other === undefined) return box;
    const [from, to] = near === before ? [box, other] : [other, box];
    const mean = (side: keyof Box): number => Math.round(from[side] + (to[side] - from[side]) * share);
    return { ...box, x: mean('x'), y: mean('y'), width: mean('width'), height: mean('height') };
  });
}

const COLUMNS = [
  'frame',
  'time',
  'person',
  'score',
  'x',
  'y',
  'width',
  'height',
  'parsed',
  'hidden',
  'hidden_x',
  'hidden_y',
  'hidden_width',
  'hidden_height',
];

export const BOXES_HEAD = row(COLUMNS);

/** What a table tells of a frame. */
export interface FrameBoxes {
  frame: number;
  /** Seconds. */
  time: number;
  isParsed: boolean;
  boxes: readonly PersonBox[];
  hidden: readonly HiddenArea[];
  /** Whether nothing of the frame is to be seen. */
  isBlack: boolean;
}

/** Lines of CSV (RFC 4180): one for each person, and one for each hidden area of somebody else. */
export function boxesAsRows({ frame, time, isParsed, boxes, hidden, isBlack }: FrameBoxes): string {
  const start = [frame, Number(time.toFixed(6))];
  const placed = ({ x, y, width, height }: Box): number[] => [x, y, width, height];
  const nowhere = ['', '', '', ''];
  const names = new Set(boxes.map(({ name }) => name));
  const ofPersons = boxes.map(({ name, track, score, ...box }) => {
    const area = hidden.find((one) => one.name === name);
    const told = [
      track ?? '',
      Number(score.toFixed(4)),
      ...placed(box),
      isParsed,
      area !== undefined || isBlack,
    ];
    return row([...start, ...told, ...(area === undefined ? nowhere : placed(area))]);
  });
  const ofOthers = hidden
    .filter(({ name }) => name === null || !names.has(name))
    .map((area) => {
      const track = /^track (\d+)$/.exec(area.name ?? '')?.[1] ?? '';
      return row([...start, track, '', ...nowhere, isParsed, true, ...placed(area)]);
    });
  return [...ofPersons, ...ofOthers].join('');
}

function row(cells: readonly (string | number | boolean)[]): string {
  return `${cells.join(',')}\r\n`;
}
