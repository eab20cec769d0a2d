/** The form of the node, as it is stored in flows. */
import { MOST_SHORT_SIDE } from '../../src/image/limits.ts';
import { PRECISIONS } from '../../src/m2fp/manifest.ts';
import { MULTI_HUMAN_ID } from '../../src/m2fp/published.ts';
import { flag, inForm, oneOf, whole } from '../../src/parsing/options/option-table.ts';
import { type Config, textField } from '../common/form-fields.ts';

/** Pixels, of a side of the network's input. */
const side = (max: number) => inForm(whole(16, max, null), { value: '' });

/** A text of one source of models. */
const ofSource = (value: string) => textField(value, { check: ['ofSource'] });

export const FIELDS = {
  source: oneOf(['bundled', 'modelscope', 'folder', 'remote'], 'bundled'),
  /**
   * For `folder`: path of a converted model, or of a checkpoint, a file or a folder; may contain ${ENV}. A relative one
   * starts at the user directory.
   */
  folder: ofSource(''),
  /** This and the next three are for `modelscope`; nodes from before they were there do not have them. */
  modelId: ofSource(MULTI_HUMAN_ID),
  /** Blank: master. */
  revision: ofSource('master'),
  precision: oneOf(PRECISIONS, 'fp32'),
  /** For int8: a folder of pictures; may contain ${ENV}; a relative one starts at the user directory. Blank: drawn scenes. */
  pictures: textField(''),
  /** For a checkpoint in `folder`: its averaged weights (EMA) in place of those of the last step. */
  ema: flag(false),
  /** Blank: ModelScope; may contain ${ENV}. */
  baseUrl: ofSource(''),
  threads: whole(0, 1024, 0),
  maxQueue: whole(0, 10_000, 32),
  /** Seconds. */
  timeout: whole(0, 86_400, 60),
  shortSide: side(MOST_SHORT_SIDE),
  longSide: side(8192),
  /** 0: as many as cores and memory allow. This and the next four are since version 2. */
  processes: whole(0, 64, 1),
  warmUp: flag(false),
  /** Minutes; 0: never. */
  idleUnload: whole(0, 10_080, 0),
  /** MiB of each process; 0: no limit. */
  maxMemory: inForm(whole(0, 1_048_576, null), { value: '' }),
  /** MiB; 0: none. */
  cacheSize: whole(0, 65_536, 0),
  /** MiB of an encoded picture. */
  maxImageSize: whole(1, 1024, 32),
  /** Millions of pixels. */
  maxMegapixels: whole(1, 500, 64),
  /** For `remote`: address of the Redis, without name and password; may contain ${ENV}. */
  redis: ofSource(''),
  /** For `remote`: name of the workers' queue; blank: m2fp; may contain ${ENV}. */
  queue: ofSource('m2fp'),
};

export type ModelConfig = Config<typeof FIELDS>;
