/** The form of the node, as it is stored in flows. */
import { PREVIEW_VIEWS, type PreviewView } from '../../src/parsing/colorize/preview.ts';
import {
  flag,
  number,
  oneOf,
  optionsInFields,
  valuesOf,
  whole,
} from '../../src/parsing/options/option-table.ts';
import type { Config } from '../common/form-fields.ts';
import { PARSING_FIELDS } from '../common/parsing.ts';
import { IMAGE_FIELDS } from '../common/image.ts';
import type { PreviewSettings } from './preview.ts';

/** `auto`: the picture that a node made, else the parsing; `picture`: any picture, without a parsing. */
export type ShownView = PreviewView | 'picture' | 'auto';

const SETTINGS = {
  view: oneOf(['auto', ...PREVIEW_VIEWS, 'picture'] as const satisfies ShownView[], 'auto'),
  /** Of the thumbnail's longer side, pixels. */
  size: whole(40, 320, 200),
  minScore: number(0, 1, 0.3),
};

export const FIELDS = {
  ...SETTINGS,
  ...PARSING_FIELDS,
  ...IMAGE_FIELDS,
  /** Changed by the button at the node. */
  active: flag(true),
};

/** @throws {M2fpError} `M2FP_BAD_OPTION` naming the field that is wrong */
export function settingsOf(config: Partial<Config<typeof FIELDS>>): PreviewSettings & { shows: ShownView } {
  const { view: shows, size, minScore } = valuesOf(SETTINGS, optionsInFields(SETTINGS, config));
  return {
    shows,
    view: shows === 'picture' ? 'original' : shows === 'auto' ? 'overlay' : shows,
    size,
    minScore,
  };
}
