/** How a picture is encoded. */
import { ENCODED_FORMATS } from '../image/encode.ts';
import { numberIn, oneOf } from './options.ts';

export type EncodedFormat = (typeof ENCODED_FORMATS)[number];

export const MIME_TYPES: Readonly<Record<EncodedFormat, string>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
};

const DEFAULT_QUALITY = 85;

export interface PictureOptions {
  /** Default `png`. */
  format?: EncodedFormat;
  /** Of jpeg and webp, 1 to 100; default 85. */
  quality?: number;
}

export const PICTURE_OPTIONS = ['format', 'quality'] as const satisfies readonly (keyof PictureOptions)[];

/** The options with their defaults. @throws {M2fpError} `M2FP_BAD_OPTION` */
export function readPictureOptions(options: PictureOptions): Required<PictureOptions> {
  return {
    format: oneOf('format', options.format, ENCODED_FORMATS, 'png'),
    quality: numberIn('quality', options.quality, { min: 1, max: 100, integer: true }, DEFAULT_QUALITY),
  };
}
