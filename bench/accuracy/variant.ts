/** What is compared: a model, and how its input is made. */
import { availableParallelism } from 'node:os';
import { openPipeline, type Pipeline } from '../../src/engine/child/pipeline.ts';
import type { ParseOptions } from '../../src/parsing/types.ts';
import { M2fpError } from '../../src/errors.ts';
import { decodeImage, loadSharp, targetSize } from '../../src/image/index.ts';
import type { NetworkInput } from '../../src/image/types.ts';
import type { InputRule, ModelManifest } from '../../src/m2fp/manifest.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { type Prediction, predictionOf } from './prediction.ts';

export interface Variant {
  name: string;
  manifest: ModelManifest;
  /** Who resizes the picture: the product, which equals Pillow, or sharp with its linear kernel. */
  resize: 'pillow' | 'sharp';
  /** Whether it sees the mirrored picture too (flip test-time augmentation). */
  flip: boolean;
  /** Sizes of the input, pixels. */
  input: InputRule;
  /** The parsing labels by index, background first. */
  labels: string[];
  predict(image: Buffer): Promise<Prediction>;
  close(): Promise<void>;
}

/** The model's rule for another short side; the limit of the long side grows with it. */
export function ruleOf(rule: InputRule, shortSide: number | undefined): InputRule {
  if (shortSide === undefined) return rule;
  if (rule.kind !== 'short-side') {
    throw new M2fpError('M2FP_BAD_OPTION', '--short-side is for models that scale the shorter side.');
  }
  const longSide = Math.round((rule.longSide * shortSide) / rule.shortSide);
  return { kind: 'short-side', shortSide, longSide };
}

/** The network input as sharp would make it. */
async function resizedBySharp(image: Buffer, rule: InputRule): Promise<NetworkInput> {
  const sharp = await loadSharp();
  const { width, height, channels, data } = await decodeImage(image);
  const { crop } = targetSize(rule, width, height);
  const resized = await sharp(data, { raw: { width, height, channels } })
    .resize(crop.width, crop.height, { kernel: 'linear', fit: 'fill' })
    .raw()
    .toBuffer();
  return {
    type: 'm2fp-input',
    width: crop.width,
    height: crop.height,
    data: resized,
    crop,
    rule,
    source: { image, width, height },
  };
}

/**
 * The variants of one model: as the product runs it and, where asked for, with flip test-time augmentation and with
 * sharp's resize. They share one loaded model; closing any of them closes it.
 *
 * @throws M2FP_BAD_OPTION for a model of single persons, whose result names no people; what reading and loading the
 *   model throws
 */
export async function openVariants(
  folder: string,
  {
    shortSide,
    withFlip,
    withSharp,
  }: { shortSide?: number | undefined; withFlip: boolean; withSharp: boolean },
): Promise<Variant[]> {
  const manifest = await readManifest(folder);
  const { humanIndex, labels, id, precision } = manifest;
  if (manifest.kind !== 'multi' || humanIndex === null) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The model ${id} finds no people: only multi-human models are judged.`,
    );
  }
  const input = ruleOf(manifest.input, shortSide);
  const options: ParseOptions =
    input.kind === 'short-side' ? { shortSide: input.shortSide, longSide: input.longSide } : {};
  const pipeline: Pipeline = await openPipeline(folder, manifest.digest, availableParallelism());
  const common = {
    manifest,
    input,
    labels: labels.slice(0, humanIndex),
    close: () => pipeline.close(),
  };
  const name = `${id} ${precision}`;
  const variants = [false, ...(withFlip ? [true] : [])].map((flip): Variant => ({
    ...common,
    name: flip ? `${name}, flip` : name,
    resize: 'pillow',
    flip,
    predict: async (image) => predictionOf(await pipeline.parse(image, { ...options, flip })),
  }));
  if (withSharp && input.kind === 'short-side') {
    variants.push({
      ...common,
      name: `${name}, sharp`,
      resize: 'sharp',
      flip: false,
      predict: async (image) =>
        predictionOf(await pipeline.parse(await resizedBySharp(image, input), options)),
    });
  }
  return variants;
}
