/** How a model was made int8, and how near it is to the one that it was made of: part of its `m2fp.json`. */

/** How a model was made int8. */
export interface Int8Origin {
  /** The parts of the network that are int8. */
  parts: string[];
  /** How the ranges of activations were chosen. */
  calibration: string;
  /** Bits of a weight. */
  weightBits: number;
  /** Whether biases were corrected. */
  correctedBias: boolean;
  /** Pictures that the ranges were taken from. */
  pictures: number;
  /** Whether those were the drawn scenes of the package, as the user gave none. */
  drawn?: true;
  /** Digest and precision of the model that it was made of. */
  from: { digest: string; precision: 'fp32' | 'fp16' };
  /** Absent where there were too few pictures to hold any back. */
  report?: Int8Report;
}

/** Both models on pictures that the ranges were not taken from. */
export interface Int8Report {
  /** The float model is the reference. */
  agreement: Agreement;
  /** Median time of the network for a picture, in seconds. */
  seconds: { float: number; int8: number };
  /** Median processor time for a picture, from its pixels to the parts, in seconds; older models lack it. */
  processorSeconds?: { float: number; int8: number };
  /** What that was measured on. */
  machine: { processor: string | null; instructions: string; threads: number; provider: string };
}

/** How far two models agree over several pictures, each of which counts the same. */
export interface Agreement {
  pictures: number;
  /** Mean share of the pixels that have the same label in both label maps; null of no pictures. */
  pixels: number | null;
  /** Of half of the pictures it is this or more. */
  medianPixels: number | null;
  /** Of the picture that has least. */
  leastPixels: number | null;
  /** The same mean of those pixels alone that are no background in one of them or both; null where there are none. */
  foreground: number | null;
  persons: MatchFigures;
  parts: MatchFigures;
}

/** Persons or parts over several pictures. */
export interface MatchFigures {
  /** Those of the reference. */
  reference: number;
  other: number;
  /** Of `reference` and of `other`, so many are the same. */
  matched: number;
  /** Mean intersection over union of the matched ones' masks; null where none is. */
  iou: number | null;
  /** Mean of how far the two scores of a matched one lie apart; null where none is. */
  meanScoreDifference: number | null;
  greatestScoreDifference: number | null;
}

/** A model that agrees in a smaller share of the pixels needs a look. */
export const LEAST_AGREEMENT = 0.97;
/**
 * The same of the foreground alone: most pixels are background, which both models find wherever nobody is. Of models that
 * are as right as the float one it was 0.93 and more, of one made with pictures of nobody 0.90 (docs/performance.md).
 */
export const LEAST_FOREGROUND = 0.92;

/** Fewer pictures tell too little of what occurs in the network. */
export const ENOUGH_PICTURES = 32;

/** Pictures that it was made and compared with. */
function picturesOf({ pictures, report }: Int8Origin): number {
  return pictures + (report?.agreement.pictures ?? 0);
}

/** Whether it was made with fewer than {@link ENOUGH_PICTURES}. */
export function isOfFewPictures(int8: Int8Origin): boolean {
  return picturesOf(int8) < ENOUGH_PICTURES;
}

/** Whether the model differs more from the one that it was made of than it should. */
export function isFarOff({ report }: Int8Origin): boolean {
  if (report === undefined) return false;
  const { pixels, foreground } = report.agreement;
  return (pixels ?? 1) < LEAST_AGREEMENT || (foreground ?? 1) < LEAST_FOREGROUND;
}

/** Whether both models saw nothing but background, so that they agree whatever they are. */
export function isNobodySeen({ report }: Int8Origin): boolean {
  return report !== undefined && report.agreement.foreground === null;
}

/** Whether the report was measured on WebAssembly, where int8 gains less. */
export function isOnWasm({ machine }: Int8Report): boolean {
  return machine.provider === 'wasm';
}

/** How many times as fast as the float model, by processor time where that is known: a busy machine moves it less. */
export function timesAsFast({ seconds, processorSeconds = seconds }: Int8Report): number {
  return processorSeconds.float / processorSeconds.int8;
}

/** "95.1 %": as many digits as tell 0.9699 from {@link LEAST_AGREEMENT}, never rounded up. */
export function percentOf(share: number): string {
  return `${(Math.floor(share * 1000 + 1e-9) / 10).toFixed(1)} %`;
}

/** Pictures that were held back, in words. */
function heldBackText(pictures: number): string {
  return pictures === 1 ? 'on one picture that was held back' : `on ${pictures} pictures that were held back`;
}

/** What a user should know of it, and do; empty where all is well. */
export function int8Warnings(int8: Int8Origin): string[] {
  const drawn =
    'It was made int8 with drawn scenes, as no pictures were given: 32 or more that are like those that it will see ' +
    'tell more';
  const count = picturesOf(int8);
  const few =
    `Only ${count === 1 ? 'one picture was' : `${count} pictures were`} used: ${ENOUGH_PICTURES} or more that are ` +
    'like those that the model will see make a better model';
  return [
    ...(int8.drawn ? [drawn] : []),
    ...(isOfFewPictures(int8) ? [few] : []),
    ...agreementWarnings(int8),
  ];
}

function agreementWarnings(int8: Int8Origin): string[] {
  const { report, weightBits, parts } = int8;
  if (report === undefined)
    return [
      'Nobody knows how near the int8 model is to the float one: there were too few pictures to hold some back and ' +
        'compare. Give 32 or more',
    ];
  const { pictures, pixels, medianPixels, leastPixels, foreground } = report.agreement;
  if (isNobodySeen(int8))
    return [
      `Nobody knows how near the int8 model is to the float one where people are: both saw nobody ${heldBackText(pictures)}. ` +
        'Make it again with 32 or more pictures of people like those that it will parse',
    ];
  if (!isFarOff(int8)) return [];
  const wide = weightBits < 8 && !isOnWasm(report) && /VNNI/.test(report.machine.instructions);
  const advice = [
    'make it again with more pictures that are like those that it will see',
    `leave some of its ${parts.length} parts in float (--parts)`,
    ...(wide ? ['take weights of 8 bits (--weight-bits 8), which this processor adds up exactly'] : []),
    'or use the float model',
  ];
  const isLow = (share: number | null, least: number): share is number => share !== null && share < least;
  const low = [
    ...(isLow(pixels, LEAST_AGREEMENT) ? [`${percentOf(pixels)} of the pixels`] : []),
    ...(isLow(foreground, LEAST_FOREGROUND) ? [`${percentOf(foreground)} of the foreground`] : []),
  ];
  return [
    `Only ${low.join(' and ')} have the label that the float model gives them ${heldBackText(pictures)} (of the pixels ` +
      `${percentOf(medianPixels!)} in the middle one, ${percentOf(leastPixels!)} in the worst; ` +
      `${LEAST_AGREEMENT * 100} % of the pixels and ${LEAST_FOREGROUND * 100} % of the foreground are expected). ` +
      `What helps: ${advice.join(', ')}`,
  ];
}
