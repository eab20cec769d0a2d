/** The options of `describe`: what each means, and which values are allowed. */
import {
  type GivenOptions,
  number,
  oneOf,
  type OptionValues,
  readOptions,
  whole,
} from '../../parsing/options/option-table.ts';
import type { Language } from '../colors/words.ts';

export const DESCRIBE_OPTIONS = {
  /** Of sentences and texts; `auto` is for the caller to know, and English here. Names in the data are English. */
  language: oneOf(['auto', 'en-US', 'zh-CN'], 'auto'),
  /** Colours of a garment that are told at most. */
  maxColors: whole(1, 4, 2),
  /** A second colour is told where it has this share of the garment, 0 to 1. */
  minColorShare: number(0, 1, 0.2),
  /**
   * A garment is told where it has this share of the person, 0 to 1; what is small (hats, glasses, scarves, gloves, socks,
   * shoes, bags) where it has a fifth of that.
   */
  minShare: number(0, 1, 0.02),
  /** Persons and parts of a lower score are left out. */
  minScore: number(0, 1, 0.5),
};

export type DescribeOptions = GivenOptions<typeof DESCRIBE_OPTIONS>;

/** The options with their defaults, checked and read. */
export interface DescribePlan extends Omit<OptionValues<typeof DESCRIBE_OPTIONS>, 'language'> {
  language: Language;
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` naming the option that is wrong */
export function readDescribeOptions(options: DescribeOptions | undefined): DescribePlan {
  const { language, ...plan } = readOptions(DESCRIBE_OPTIONS, options);
  return { ...plan, language: language === 'auto' ? 'en-US' : language };
}
