/** How a picture is encoded. */
import { ENCODED_FORMATS } from '../../image/encode.ts';
import { type GivenOptions, oneOf, type OptionValues, whole } from './option-table.ts';

export type EncodedFormat = (typeof ENCODED_FORMATS)[number];

export const MIME_TYPES: Readonly<Record<EncodedFormat, string>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
};

export const IMAGE_OPTIONS = {
  /** How the result is encoded. */
  format: oneOf(ENCODED_FORMATS, 'png'),
  /** Of jpeg and webp, 1 to 100. */
  quality: whole(1, 100, 90),
};

export type ImageOptions = GivenOptions<typeof IMAGE_OPTIONS>;
export type ImageEncoding = OptionValues<typeof IMAGE_OPTIONS>;
