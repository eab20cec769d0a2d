/** A video with the parts of people in colours. A frame that was not parsed has those of the nearest one that was. */
import type { RawImage } from '../../image/types.ts';
import { type Canvas, paintCanvas } from '../../parsing/colorize/canvas.ts';
import { drawCanvas, subjectOf } from '../../parsing/colorize/colorize.ts';
import {
  type ColorizeOptions,
  type ColorizePlan,
  isNumberMode,
  readColorizeOptions,
} from '../../parsing/colorize/colorize-options.ts';
import { badOption } from '../../parsing/options/options.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { NumberedPerson, TrackedParsing } from '../../people/track/types.ts';
import { type Drawn, nearer, type View } from './view.ts';

/** What is drawn over a frame. */
interface ColorizedFrame {
  parsing: Parsing;
  canvas: Canvas;
}

export class ColorizeView implements View<ColorizedFrame> {
  readonly #plan: ColorizePlan;

  /**
   * @param labels the model's
   * @throws {M2fpError} `M2FP_BAD_OPTION`, also for what a video cannot have
   */
  constructor(labels: readonly string[], options: ColorizeOptions) {
    const plan = readColorizeOptions(labels, options);
    if (isNumberMode(plan.mode)) throw badOption('mode', plan.mode, 'overlay or map in a video');
    if (plan.legend !== 'none') {
      throw badOption('legend', plan.legend, 'none in a video, whose frames have the same size');
    }
    if (plan.background === 'remove') {
      throw badOption(
        'background',
        options.background,
        'keep, dim or blur in a video, which has no transparency',
      );
    }
    if (options.format !== undefined) {
      throw badOption('format', options.format, 'none in a video: the name of --out tells it');
    }
    this.#plan = plan;
  }

  async read(tracked: TrackedParsing): Promise<ColorizedFrame> {
    const parsing = withTracksAsIds(tracked);
    return { parsing, canvas: await paintCanvas(parsing, { ...this.#plan, by: subjectOf(this.#plan) }) };
  }

  drawParsed(image: RawImage, own: ColorizedFrame): Promise<Drawn> {
    return this.#draw(image, own);
  }

  drawBetween(
    image: RawImage,
    before: ColorizedFrame | undefined,
    after: ColorizedFrame | undefined,
    share: number,
  ): Promise<Drawn> {
    return this.#draw(image, nearer(before, after, share));
  }

  async #draw(image: RawImage, frame: ColorizedFrame | undefined): Promise<Drawn> {
    if (frame === undefined) return { image, hidden: [], isBlack: false };
    const { parsing, canvas } = frame;
    const drawn = await drawCanvas(parsing, canvas, this.#plan, () => Promise.resolve(image));
    return { image: drawn, hidden: [], isBlack: false };
  }
}

/** Ids are bytes: so many are for tracks, the others for those who have none. */
const TRACK_IDS = 200;
const OTHER_IDS = 55;

/** A parsing whose persons have the same ids, and so the same colours, from frame to frame. */
export function withTracksAsIds({ persons, parts, personMap, ...rest }: TrackedParsing): Parsing {
  const ids = new Map(persons.map((person) => [person.id, byteOf(person)]));
  const table = Uint8Array.from({ length: 256 }, (_, id) => ids.get(id) ?? id);
  return {
    ...rest,
    doubtful: { persons: [], parts: [] },
    persons: persons.map(({ track: _track, ...person }) => ({ ...person, id: ids.get(person.id)! })),
    parts: parts.map((part) => ({
      ...part,
      person: part.person === null ? null : (ids.get(part.person) ?? null),
    })),
    personMap: Buffer.from(personMap.map((id) => table[id]!)),
  };
}

function byteOf({ id, track }: Pick<NumberedPerson, 'id' | 'track'>): number {
  return track === null ? TRACK_IDS + 1 + ((id - 1) % OTHER_IDS) : 1 + ((track - 1) % TRACK_IDS);
}
