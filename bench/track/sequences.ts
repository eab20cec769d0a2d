/** The drawn sequences below bench/sequences, with their truth; models/training/scenes/walks.py draws them. */
import { readdirSync, readFileSync } from 'node:fs';
import { encodeRle, rleToRuns } from '../../src/parsing/masks/rle.ts';
import { runsArea, runsBox } from '../../src/parsing/masks/runs.ts';
import cihp from '../../models/labels/cihp.json' with { type: 'json' };
import type { Parsing, Part, Person } from '../../src/parsing/types.ts';

const FOLDER = new URL('../sequences/', import.meta.url);

export interface SequenceFrame {
  image: Buffer;
  /** Milliseconds from the first. */
  time: number;
  /** Who is in it: the number of each person of `parsing`. */
  truth: number[];
  /** The parsing that knows all. */
  parsing: Parsing;
}

export interface Sequence {
  name: string;
  frames: SequenceFrame[];
}

/** A truth file. */
interface Stored {
  width: number;
  height: number;
  /** Frames a second. */
  rate: number;
  frames: {
    file: string;
    time: number;
    people: {
      id: number;
      area: number;
      box: [number, number, number, number];
      parts: Record<string, string>;
    }[];
  }[];
}

export const SEQUENCE_NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace(/\.json$/, ''));

/**
 * A sequence at a rate.
 * @param rate frames a second: every second of the file's five, or the two that are nearest to each half, or all
 */
export function readSequence(name: string, rate: number): Sequence {
  const {
    width,
    height,
    frames,
    rate: drawn,
  } = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as Stored;
  const step = drawn / rate;
  const count = Math.floor((frames.length - 1) / step) + 1;
  const chosen = Array.from({ length: count }, (_, index) => frames[Math.floor(index * step)]!);
  return {
    name,
    frames: chosen.map(({ file, time, people }) => {
      const image = readFileSync(new URL(file, FOLDER));
      return {
        image,
        time,
        truth: people.map(({ id }) => id),
        parsing: parsingOf(image, width, height, people),
      };
    }),
  };
}

function parsingOf(
  image: Buffer,
  width: number,
  height: number,
  people: Stored['frames'][number]['people'],
): Parsing {
  const labelMap = Buffer.alloc(width * height);
  const personMap = Buffer.alloc(width * height);
  const parts: Part[] = [];
  const persons = people.map((person, number): Person => {
    const whole = new Uint8Array(width * height);
    for (const [label, counts] of Object.entries(person.parts)) {
      const mask = { size: [height, width] as [number, number], counts };
      const index = cihp.labels.indexOf(label);
      const runs = rleToRuns(mask);
      for (let run = 0; run < runs.length; run += 2) {
        for (let place = runs[run]!; place < runs[run + 1]!; place++) {
          const at = (place % height) * width + Math.floor(place / height);
          whole[at] = 1;
          labelMap[at] = index;
          personMap[at] = number + 1;
        }
      }
      parts.push({
        id: parts.length + 1,
        label,
        index,
        person: number + 1,
        score: 1,
        box: runsBox(runs, height),
        area: runsArea(runs),
        mask,
      });
    }
    const [x, y, w, h] = person.box;
    const mask = encodeRle(whole, width, height);
    return { id: number + 1, score: 1, box: { x, y, width: w, height: h }, area: person.area, mask };
  });
  return {
    image,
    width,
    height,
    labels: cihp.labels,
    labelMap,
    personMap,
    persons,
    parts,
    doubtful: { persons: [], parts: [] },
    model: { id: 'truth', digest: '', precision: 'fp32', provider: 'none' },
    cached: false,
    timing: { queue: 0, decode: 0, preprocess: 0, inference: 0, postprocess: 0, total: 0 },
  };
}
