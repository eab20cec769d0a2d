/** The options of `makeMask`: what each means, and which values are allowed. */
import { IMAGE_OPTIONS, type ImageEncoding } from '../options/image-options.ts';
import {
  custom,
  flag,
  type GivenOptions,
  labelNames,
  number,
  oneOf,
  type OptionValues,
  readOptions,
} from '../options/option-table.ts';
import { badOption, labelIndices } from '../options/options.ts';
import { idsInText, personIds } from '../options/person-ids.ts';
import { type Garment, GARMENTS } from './garments.ts';
import { RECIPES, type TryOnPlan } from './try-on.ts';

const MAX_REACH = 512;

/** What the try-on tools call the garments. */
const ALIASES: Readonly<Record<string, Garment>> = {
  upper_body: 'upper',
  upperbody: 'upper',
  lower_body: 'lower',
  lowerbody: 'lower',
  overall: 'dress',
  dresses: 'dress',
};

const garment = oneOf(GARMENTS, 'upper');
const isGarment = (given: unknown): given is Garment => GARMENTS.some((name) => name === given);

/** Whose pixels: everybody's, the largest person's, or those of some. */
export type Whose = 'all' | 'largest' | ReadonlySet<number>;

export const MASK_OPTIONS = {
  /** `try-on`: what is painted to put on another garment. `parts`: the labels of the user's choice. */
  mode: oneOf(['try-on', 'parts'], 'try-on'),
  /** What is to be put on; `dress` is the whole body, `inner` what is worn below a coat, `outer` the coat. */
  garment: {
    ...garment,
    read: (name: string, given: unknown): Garment => {
      if (typeof given === 'string' && Object.hasOwn(ALIASES, given)) return ALIASES[given]!;
      if (given === undefined || isGarment(given)) return given ?? 'upper';
      throw badOption(
        name,
        given,
        `${GARMENTS.join(', ')}, or as the tools call them: ${Object.keys(ALIASES).join(', ')}`,
      );
    },
  },
  /** `catvton`: wide, so that another cut fits. `idm-vton`: near to what is worn, as OOTDiffusion, too. */
  recipe: oneOf(RECIPES, 'catvton'),
  /** Percent of an arm's length that is taken for its hand, at least; 0: no hands are looked for. */
  hands: number(0, 50, 20),
  /** The labels of `parts`; default all but the background and the whole person. */
  labels: labelNames(),
  /** `all`, `largest` or ids; default the largest for `try-on`, else all. */
  persons: custom<Whose | undefined, readonly number[] | string>(readWhose, { check: ['people'] }, (text) =>
    text === 'all' || text === 'largest' ? text : idsInText(text),
  ),
  /** Of `parts`: what the mask surrounds belongs to it. */
  fillHoles: flag(false),
  /** Of `parts`: only the largest connected region is kept. */
  largest: flag(false),
  /** Of `parts`: the convex hull of each connected region, or of all of them. */
  hull: oneOf(['none', 'each', 'all'], 'none'),
  /** The mask grows by so many pixels, or shrinks where negative. */
  grow: number(-MAX_REACH, MAX_REACH, 0),
  /** Width in pixels over which the mask's edge fades, half of it on either side; 0 is a hard edge: no grey. */
  feather: number(0, MAX_REACH, 0),
  /** Of `parts`: everything else. */
  invert: flag(false),
  /** Where nothing is to be painted: an `error`, or `pass` a black mask. */
  empty: oneOf(['error', 'pass'], 'error'),
  /** `mask`; `agnostic`: the picture, grey where the mask is white; `all`: both, and the picture itself. */
  output: oneOf(['mask', 'agnostic', 'all'], 'mask'),
  /** Of the agnostic picture and the picture; the mask is always PNG. */
  ...IMAGE_OPTIONS,
};

export type MaskOptions = GivenOptions<typeof MASK_OPTIONS>;
type Values = OptionValues<typeof MASK_OPTIONS>;

/** The options with their defaults, checked and read for a model's labels. */
export interface MaskPlan extends Pick<
  Values,
  'mode' | 'fillHoles' | 'largest' | 'hull' | 'grow' | 'feather' | 'invert' | 'empty' | 'output'
> {
  tryOn: TryOnPlan;
  /** Null: all but the background and the whole person. */
  chosen: ReadonlySet<number> | null;
  whose: Whose;
  encoding: ImageEncoding;
}

function readWhose(name: string, given: unknown): Whose | undefined {
  if (given === undefined || given === 'all' || given === 'largest') return given;
  return personIds(name, given, 'or "all", or "largest"');
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` naming the option that is wrong */
export function readMaskOptions(labels: readonly string[], options: MaskOptions | undefined): MaskPlan {
  const {
    garment: worn,
    recipe,
    hands,
    labels: names,
    persons,
    format,
    quality,
    ...rest
  } = readOptions(MASK_OPTIONS, options);
  return {
    ...rest,
    tryOn: { garment: worn, recipe, hands: hands / 100 },
    chosen: labelIndices('labels', names, labels),
    whose: persons ?? (rest.mode === 'try-on' ? 'largest' : 'all'),
    encoding: { format, quality },
  };
}
