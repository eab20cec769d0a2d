/** Keeps frames back that show what the last one showed. */
import { loadSharp } from '../../image/sharp.ts';
import type { FrameGate } from '../frame-delivery.ts';
import { insideOf, type Polygon } from './areas.ts';
import { changedShare, type GreyImage } from './change.ts';

export interface MotionOptions {
  /** How much of the picture must have changed, from 0 to 1. */
  share: number;
  /** Grey levels, of 255, from which a pixel counts as changed. */
  threshold: number;
  /** Areas in which nothing counts. */
  ignored: readonly Polygon[];
}

/** Pixels. A person of a tenth of the picture's height is three wide then. */
const WIDTH = 160;

/**
 * Compares with the last frame that went out, not with the one before: what moves slowly adds up, and as long as nothing is said to
 * have moved, the last result holds.
 */
export class MotionGate implements FrameGate {
  readonly #options: MotionOptions;
  #passed: GreyImage | undefined;
  #latest: { image: Buffer; grey: GreyImage } | undefined;
  #ignored: Uint8Array | undefined;

  constructor(options: MotionOptions) {
    this.#options = options;
  }

  /** @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` where sharp does not load; sharp's error for what is no picture */
  async hasMoved(image: Buffer): Promise<boolean> {
    const grey = await this.#read(image);
    if (this.#passed === undefined) return true;
    const { share, threshold } = this.#options;
    return changedShare(this.#passed, grey, threshold, this.#maskFor(grey)) >= share;
  }

  async pass(image: Buffer): Promise<void> {
    this.#passed = await this.#read(image);
  }

  async #read(image: Buffer): Promise<GreyImage> {
    if (this.#latest?.image !== image) this.#latest = { image, grey: await smallGrey(image) };
    return this.#latest.grey;
  }

  #maskFor({ width, height }: GreyImage): Uint8Array | undefined {
    const { ignored } = this.#options;
    if (ignored.length === 0) return undefined;
    if (this.#ignored?.length !== width * height) this.#ignored = insideOf(ignored, width, height);
    return this.#ignored;
  }
}

/** The picture in small and grey, a little blurred. A JPEG is decoded no larger than that needs. */
async function smallGrey(image: Buffer): Promise<GreyImage> {
  const sharp = await loadSharp();
  const { data, info } = await sharp(image, { failOn: 'none', autoOrient: true })
    .resize({ width: WIDTH, withoutEnlargement: true })
    .flatten({ background: 'white' })
    .greyscale()
    .toColorspace('b-w')
    .blur()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { pixels: data, width: info.width, height: info.height };
}
