/** What a client may ask of an answer: `?format=`, `?view=` and the rest. */
import { COLORIZE_OPTIONS } from '../parsing/colorize/colorize-options.ts';
import { MAX_PADDING_PERCENT, MAX_SIDE } from '../parsing/crop/crop-options.ts';
import {
  custom,
  extent,
  flag,
  type GivenOptions,
  inForm,
  labelNames,
  oneOf,
  type OptionValues,
} from '../parsing/options/option-table.ts';
import { oneOf as checkOneOf } from '../parsing/options/options.ts';
import { IOU_OPTION } from '../parsing/polygonize.ts';
import { REDACT_OPTIONS } from '../parsing/redact/redact-options.ts';

/** What an answer may be. `coco`: a COCO data set of this one picture. `multipart`: JSON and the picture, in two parts. */
export const FORMATS = ['json', 'png', 'webp', 'jpeg', 'coco', 'multipart'] as const;
export type Format = (typeof FORMATS)[number];

/**
 * What a picture shows. `overlay`: colours over the source. `map`: colours only. `persons`: a colour for each person
 * over the source. `labels`: the label indices, a byte a pixel. `redacted`: the source with faces and hair (or
 * `labels`) unrecognisable. `crop`: a person, or `labels`, cut out of the source.
 */
export const VIEWS = ['overlay', 'map', 'persons', 'labels', 'redacted', 'crop'] as const;

const { opacity, contours, contourColor, names, scores, legend, palette, background } = COLORIZE_OPTIONS;
const { persons, cells, color, grow } = REDACT_OPTIONS;

export const ANSWER_OPTIONS = {
  /** Before what the client accepts. */
  format: inForm(
    custom<Format | undefined, Format>((name, given) =>
      given === undefined ? undefined : checkOneOf<Format>(name, given, FORMATS, 'json'),
    ),
    { input: 'select', choices: FORMATS, value: 'json' },
  ),
  view: oneOf(VIEWS, 'overlay'),
  /** The form of the masks in JSON. `png`: base64, of the box. In COCO, `none` is `rle`, since it always has them. */
  masks: oneOf(['none', 'rle', 'polygon', 'png'], 'none'),
  /** Puts the picture of `view` into JSON, as base64. */
  picture: flag(false),
  /** How well polygons meet the masks. */
  iou: IOU_OPTION,
  /** The parts that a picture is about. */
  labels: labelNames(),
  /** Ids of the persons that a picture is about. */
  persons,
  /** Of `crop`: a rectangle, or only what the mask has. */
  cutout: flag(false),
  padding: extent({ maxPercent: MAX_PADDING_PERCENT, maxPixels: MAX_SIDE, whole: true }, 0),
  /** Of `redacted`. Recolouring hides nobody. */
  method: oneOf(['blur', 'pixelate', 'fill', 'remove'], 'blur'),
  cells,
  color,
  grow,
  /** Of `overlay`, `map` and `persons`. */
  opacity,
  contours,
  contourColor,
  names,
  scores,
  legend,
  palette,
  background,
  minScore: COLORIZE_OPTIONS.minScore,
  quality: COLORIZE_OPTIONS.quality,
};

export type AnswerOptions = GivenOptions<typeof ANSWER_OPTIONS>;
export type AnswerPlan = OptionValues<typeof ANSWER_OPTIONS>;
