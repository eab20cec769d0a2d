/** The options of tracking. */
import { type OptionValues, flag, number, oneOf, whole } from '../../parsing/options/option-table.ts';
import { DEFAULT_MIN_SCORE } from '../../parsing/postprocess/postprocess.ts';
import { areasOption } from '../zones/areas-option.ts';

export const TRACK_OPTIONS = {
  /** How long somebody who is not seen is looked for: then he is gone, and who comes later is somebody new. */
  goneAfter: number(0, 3600, 5),
  goneIn: oneOf(['seconds', 'frames'], 'seconds'),
  /** In how many frames somebody must have been seen to get a number. */
  confirm: whole(1, 100, 1),
  /** From this score on somebody is new; who scores less is only found again. By default whoever infer nodes count. */
  minScore: number(0, 1, DEFAULT_MIN_SCORE),
  /** Whether the colours of clothes and hair tell people apart. */
  look: flag(true),
  /** Whether each person of each frame is an event, too. */
  updates: flag(false),
  /** Seconds without any frame after which all are gone; 0: never. */
  silence: number(0, 86_400, 120),
  zones: areasOption(),
  /** Seconds in a zone after which there is an event; 0: none. */
  dwell: number(0, 86_400, 10),
  /** How far beyond an edge feet must be to have crossed it, as a share of the person's height. */
  margin: number(0, 1, 0.05),
};

export type TrackOptions = OptionValues<typeof TRACK_OPTIONS>;
