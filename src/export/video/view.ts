/** What a video can show, and what the ways to draw it have in common. */
import type { RawImage } from '../../image/types.ts';
import type { Box } from '../../parsing/types.ts';
import type { NumberedPerson, TrackedParsing } from '../../people/track/types.ts';

export const VIEWS = ['redact', 'colorize', 'boxes'] as const;
export type ViewName = (typeof VIEWS)[number];

/** Where something was hidden in a frame. */
export interface HiddenArea extends Box {
  /** Of the person, see {@link nameOf}; null: nobody's, or the picture as a whole. */
  name: string | null;
}

/** A frame as it goes into the video. */
export interface Drawn {
  /** 3 channels, of the frame's size. */
  image: RawImage;
  hidden: readonly HiddenArea[];
  /** Whether nothing is left of the frame, since nobody knows who is in it. */
  isBlack: boolean;
}

/** Draws frames. They may be drawn into. */
export interface View<Read> {
  /**
   * What is kept of a frame that was parsed.
   * @param frame its number
   * @param time when it is shown, seconds
   */
  read(parsing: TrackedParsing, frame: number, time: number): Promise<Read>;
  /** That frame itself. @param around what was read of the parsed frames before and after it */
  drawParsed(image: RawImage, own: Read, around: readonly Read[]): Promise<Drawn>;
  /**
   * A frame that was not parsed.
   * @param before, after what was read of the parsed frames around it; undefined where parsing failed
   * @param share how far it is from the one to the other, 0 to 1
   */
  drawBetween(
    image: RawImage,
    before: Read | undefined,
    after: Read | undefined,
    share: number,
  ): Promise<Drawn>;
}

/** Equal for the same person in all frames, as far as that is known. */
export function nameOf({ id, track }: Pick<NumberedPerson, 'id' | 'track'>, frame: number): string {
  return track === null ? `frame ${frame}, person ${id}` : `track ${track}`;
}

/** The one of two that is nearer, or that there is. */
export function nearer<T>(before: T | undefined, after: T | undefined, share: number): T | undefined {
  return share < 0.5 ? (before ?? after) : (after ?? before);
}
