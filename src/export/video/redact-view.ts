/**
 * A video in which people are hidden. What is hidden in a parsed frame is hidden in the frames beside it, too, so that
 * somebody whom the network misses once does not show; and between two parsed frames all that lies on the way. Where nobody
 * knows who is in a frame, it is black.
 */
import type { RawImage } from '../../image/types.ts';
import { badOption } from '../../parsing/options/options.ts';
import { findHidden } from '../../parsing/redact/find-hidden.ts';
import { readRedactOptions, type RedactOptions } from '../../parsing/redact/redact-options.ts';
import { hidePixels } from '../../parsing/redact/redact.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { TrackedParsing } from '../../people/track/types.ts';
import { type Carried, carryBetween, carryOver, type Shade } from './carry.ts';
import { type Drawn, nameOf, nearer, type View } from './view.ts';

/** In a second, somebody who walks goes as far as he is tall, or a little less. */
const WALK = 1;

/** What is hidden in a parsed frame. */
interface RedactedFrame extends Shade {
  /** Pixels that what is hidden grew by. */
  reach: number;
  /** Seconds. */
  time: number;
  /** Whether somebody in it could not be hidden for sure, and the rule is to drop such pictures. */
  isDropped: boolean;
}

export class RedactView implements View<RedactedFrame> {
  readonly #options: RedactOptions;
  /** Whether the method hides at all: where it does not, a frame has nothing of those beside it. */
  readonly #hides: boolean;
  /** What was worked out last, for all frames between the same two. */
  #last: { before: RedactedFrame; after: RedactedFrame; carried: Carried } | undefined;

  /**
   * @param labels the model's
   * @throws {M2fpError} `M2FP_BAD_OPTION`, also for what a video cannot have
   */
  constructor(labels: readonly string[], options: RedactOptions) {
    checkForVideo(options);
    const { method, keep } = readRedactOptions(labels, options);
    if (keep !== null && keep.ids.size + keep.zones.size + keep.topicTracks.size > 0) {
      throw badOption(
        'keep',
        options.keep,
        'tracks in a video, such as "track 2": the numbers in the table of --boxes',
      );
    }
    this.#options = options;
    this.#hides = method !== 'recolor';
  }

  async read(parsing: TrackedParsing, frame: number, time: number): Promise<RedactedFrame> {
    const hidden = await findHidden(parsing as Parsing, this.#options);
    const { plan, isWholeImage, owners, boxes, personOf, reach, uncovered } = hidden;
    const people = new Map(
      [...parsing.persons, ...(parsing.doubtful?.persons ?? [])].map((person) => [person.id, person]),
    );
    const owned = boxes.map((box, region) => ({ box, region, person: people.get(personOf[region] ?? 0) }));
    const names = owned.map(({ person, region }) =>
      person === undefined ? `frame ${frame}, region ${region}` : nameOf(person, frame),
    );
    const strides = owned.map(({ person, box }) =>
      person === undefined ? Math.max(box?.width ?? 0, box?.height ?? 0) : WALK * person.box.height,
    );
    const isDropped = this.#options.uncovered === 'drop' && uncovered.length > 0;
    const { width, height } = parsing;
    return { plan, isWholeImage, owners, boxes, names, strides, reach, time, isDropped, width, height };
  }

  async drawParsed(image: RawImage, own: RedactedFrame, around: readonly RedactedFrame[]): Promise<Drawn> {
    if (own.isDropped) return black(image);
    return hide(image, await carryOver(this.#hides ? [own, ...around] : [own]));
  }

  async drawBetween(
    image: RawImage,
    before: RedactedFrame | undefined,
    after: RedactedFrame | undefined,
    share: number,
  ): Promise<Drawn> {
    if (!this.#hides) {
      const near = nearer(before, after, share);
      return near === undefined ? { image, hidden: [], isBlack: false } : hide(image, near);
    }
    if (before === undefined || after === undefined || before.isDropped || after.isDropped)
      return black(image);
    if (this.#last?.before !== before || this.#last.after !== after) {
      const [seconds, margin] = [after.time - before.time, Math.max(before.reach, after.reach)];
      const carried = await carryBetween(before, after, seconds, margin);
      this.#last = { before, after, carried };
    }
    return hide(image, this.#last.carried);
  }
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` */
function checkForVideo({ method, format, quality, persons }: RedactOptions): void {
  if (method === 'remove')
    throw badOption('method', method, 'another in a video, which has no transparency: fill');
  if (format !== undefined) throw badOption('format', format, 'none in a video: the name of --out tells it');
  if (quality !== undefined) throw badOption('quality', quality, 'none in a video');
  if (persons !== undefined) {
    throw badOption('persons', persons, 'none in a video, where ids change from frame to frame: keep tracks');
  }
}

async function hide(image: RawImage, carried: Carried): Promise<Drawn> {
  await hidePixels(image, carried);
  const hidden = carried.boxes.flatMap((box, region) =>
    box === null ? [] : [{ name: carried.names[region] ?? null, ...box }],
  );
  return { image, hidden, isBlack: false };
}

function black(image: RawImage): Drawn {
  image.data.fill(0);
  const { width, height } = image;
  return { image, hidden: [{ name: null, x: 0, y: 0, width, height }], isBlack: true };
}
