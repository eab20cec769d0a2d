import type { InputRule } from '../m2fp/manifest.ts';

/** Pixels in memory: 8 bits a channel, interleaved, row-major, no padding between rows. */
export interface RawImage {
  width: number;
  height: number;
  /** 3 = RGB, 4 = RGB and alpha. */
  channels: 3 | 4;
  data: Buffer;
}

/**
 * What becomes of a picture's transparency. `white`: it is laid on white. `drop`: it is opaque, in the colours that the
 * file keeps, hidden or not. `keep`: a fourth channel.
 */
export type AlphaMode = 'white' | 'drop' | 'keep';

/** The limits that a picture is checked against before it is decoded. */
export interface ImageLimits {
  /** Encoded size, bytes. */
  maxBytes: number;
  /** Width x height. */
  maxPixels: number;
  /** Estimated bytes of memory while it is decoded; absent: ten for each of `maxPixels`. */
  maxMemory?: number;
  /** No setting raises them, so an error names none. */
  fixed?: boolean;
}

/**
 * What the network takes, and what is needed to map its output back to the picture. Plain data and Buffers:
 * it travels as `msg.payload` from preprocess to infer.
 */
export interface NetworkInput {
  type: 'm2fp-input';
  /** Size of `data`, before the graph itself pads it to multiples of 32. */
  width: number;
  height: number;
  /** height x width x 3 bytes, RGB, resized but neither normalised nor padded to 32. */
  data: Buffer;
  /** Where the picture lies in `data`: all of it for `short-side`, the part inside the padding for `canvas`. */
  crop: { x: number; y: number; width: number; height: number };
  /** The rule that made it; infer refuses input that another model's rule made. */
  rule: InputRule;
  /** The picture as it came in (encoded), and its size after the EXIF turn. */
  source: { image: Buffer; width: number; height: number };
}
