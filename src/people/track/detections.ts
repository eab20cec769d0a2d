/** What a parsing shows of people, in the form that tracking compares. */
import { forEachSlice } from '../../image/slices.ts';
import type { Box, Parsing, Part, Person } from '../../parsing/types.ts';
import { type Feet, feetOf } from '../zones/feet.ts';
import { boxAround, type Grid, gridOf, type Shape, shapeOf, withoutSpecks } from './grid.ts';
import { colorsOf, type Look, lookOf, slotsOf } from './look.ts';
import type { Place } from './motion.ts';

/** Somebody in a frame. */
export interface Detection {
  /** In the parsing; null for a model of a single human, which names no persons. */
  id: number | null;
  score: number;
  /** Below the infer node's minimum: it may be the one who is missed, but nobody new. */
  doubtful: boolean;
  box: Box;
  /** The box without specks that lie apart, in heights of the picture. */
  place: Place;
  /** Whether it ends at an edge of the picture: there may be more of it. */
  cut: boolean;
  shape: Shape;
  look: Look | null;
  feet: Feet;
  /** What a describe node before has said. */
  description?: unknown;
}

/** Elementary steps that a person takes, for the slices between turns of the event loop. */
const STEPS = 60_000;

let lastGrid: Grid | undefined;

/** Most pictures have the size of the one before. */
function gridFor({ width, height }: Parsing): Grid {
  if (lastGrid?.picture.width !== width || lastGrid.picture.height !== height)
    lastGrid = gridOf(width, height);
  return lastGrid;
}

/**
 * The people of a parsing, the doubtful last; for a model that knows no persons, one who is all of its parts.
 * @param looks whether colours are compared
 * @throws {M2fpError} `M2FP_NO_PARSING` where a mask is damaged
 */
export async function detectionsOf(parsing: Parsing, looks: boolean): Promise<Detection[]> {
  const found = peopleOf(parsing);
  if (found.length === 0) return [];
  const grid = gridFor(parsing);
  const colors = looks ? await colorsOf(parsing.image, grid) : null;
  const slots = slotsOf(parsing.labels);
  const detections: Detection[] = [];
  await forEachSlice(found.length, STEPS, (from, end) => {
    for (const { person, parts, doubtful } of found.slice(from, end)) {
      const { box, score, id } = person;
      const masks = person.masks;
      const shape = withoutSpecks(shapeOf(masks, box, grid));
      const core = boxAround(shape, grid, box);
      detections.push({
        id,
        score,
        doubtful,
        box: { ...box },
        place: placeOf(core, parsing),
        cut: isCut(core, parsing),
        shape,
        look: colors && lookOf(shape, grid, colors, parsing.labelMap, slots),
        feet: feetOf(core, parts),
        ...(person.description !== undefined && { description: person.description }),
      });
    }
  });
  return detections;
}

function isCut({ x, y, width, height }: Box, picture: { width: number; height: number }): boolean {
  return x <= 0 || y <= 0 || x + width >= picture.width || y + height >= picture.height;
}

/** In heights of the picture. */
export function placeOf({ x, y, width, height }: Box, picture: { height: number }): Place {
  return {
    x: (x + width / 2) / picture.height,
    y: (y + height / 2) / picture.height,
    width: Math.max(width, 1) / picture.height,
    height: Math.max(height, 1) / picture.height,
  };
}

interface Found {
  person: Pick<Person, 'box' | 'score'> & {
    id: number | null;
    masks: Person['mask'][];
    description?: unknown;
  };
  parts: Part[];
  doubtful: boolean;
}

/** What label sets call a whole human: a model that has none of it finds parts of a single one. */
const HUMAN = /^(human|person|people|人|人体)$/i;

function peopleOf({ persons, parts, doubtful, labels }: Parsing): Found[] {
  const isSingle = persons.length === 0 && !doubtful?.persons.length && !HUMAN.test(labels.at(-1) ?? '');
  if (isSingle) return parts.length > 0 ? [wholeOf(parts)] : [];
  const all = [...parts, ...(doubtful?.parts ?? [])];
  const byPerson = new Map<number, Part[]>();
  for (const part of all) {
    if (part.person === null) continue;
    const own = byPerson.get(part.person);
    if (own) own.push(part);
    else byPerson.set(part.person, [part]);
  }
  const foundOf = (person: Person, isDoubtful: boolean): Found => ({
    person: { ...person, masks: [person.mask] },
    parts: byPerson.get(person.id) ?? [],
    doubtful: isDoubtful,
  });
  return [
    ...persons.map((person) => foundOf(person, false)),
    ...(doubtful?.persons ?? []).map((person) => foundOf(person, true)),
  ];
}

/** The one human of a model that tells only parts. */
function wholeOf(parts: readonly Part[]): Found {
  const seen = parts.filter(({ area }) => area > 0);
  const boxes = (seen.length > 0 ? seen : parts).map(({ box }) => box);
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return {
    person: {
      id: null,
      score: Math.max(...parts.map(({ score }) => score)),
      box: { x, y, width: right - x, height: bottom - y },
      masks: parts.map(({ mask }) => mask),
    },
    parts: [...parts],
    doubtful: false,
  };
}
