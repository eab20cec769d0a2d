/** The keys of a zone editor's board. */
import type { Point } from '../../src/people/zones/areas.ts';
import type { PageEvent } from './zone-dom.ts';

/** Shares of the picture that the arrow keys move by, with Shift the second. */
const STEP = 0.01;
const LEAP = 0.05;

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The editor's own keys, such as Delete for nodes, get no event that was for the board. */
export function take(event: PageEvent): void {
  event.preventDefault();
  event.stopPropagation();
}

/** Where an arrow key moves what has the focus, undefined for other keys. */
export function stepOf({ key, shiftKey }: PageEvent): Point | undefined {
  const arrow = ARROWS[key];
  const size = shiftKey ? LEAP : STEP;
  return arrow && [arrow[0] * size, arrow[1] * size];
}
