/** Two models, or one with two settings, side by side on a folder of pictures. */
import { basename } from 'node:path';
import { asM2fpError, isOfOneImage, M2fpError, type M2fpErrorCode } from '../errors.ts';
import { readPicture } from '../image/folder.ts';
import { median } from '../numbers.ts';
import {
  type Agreement,
  agreementOf,
  agreementOverall,
  outlineOf,
  type PictureAgreement,
} from '../parsing/agreement.ts';
import { cancellation, throwIfCancelled } from '../store/cancel.ts';
import { checkComparable, Side, type SideFacts, type SideOptions } from './side.ts';
import { drawViews, type Views } from './views.ts';

/** How many of the pictures that differ most are told of. */
const SHOWN = 12;

export interface CompareOptions {
  a: SideOptions;
  b: SideOptions;
  /** Paths of encoded pictures. */
  pictures: readonly string[];
  /** Whether the pictures that differ most are drawn. */
  draw: boolean;
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}

/** A picture that differs. */
export interface Difference {
  /** The name of its file. */
  file: string;
  agreement: PictureAgreement;
  /** Absent where nothing is drawn. */
  views?: Views;
}

export interface Comparison {
  a: SideFacts;
  b: SideFacts;
  agreement: Agreement;
  /** Median over the pictures of A's time by B's: above 1, B is faster. */
  speed: number;
  /** Those that label maps of both models may have. */
  labels: string[];
  /** Those that differ most, the worst first. */
  differences: Difference[];
  /** Pictures that one of the two could not parse. */
  leftOut: { file: string; code: M2fpErrorCode; message: string }[];
}

/**
 * Compares. Both have each picture in turn, one of them first in every other; of a parsing no more is kept than its figures,
 * so that memory does not grow with the number of pictures.
 * @throws M2fpError M2FP_BAD_OPTION where the two are the same or have other labels, M2FP_BAD_IMAGE where no picture can be
 *   used, M2FP_CANCELLED, and as engines do
 */
export async function compareModels(options: CompareOptions): Promise<Comparison> {
  const { pictures, draw, onProgress = () => {}, signal } = options;
  const [a, b] = await Promise.all([Side.of(options.a), Side.of(options.b)]);
  const agreements: PictureAgreement[] = [];
  const ratios: number[] = [];
  const leftOut: Comparison['leftOut'] = [];
  let differences: Difference[] = [];
  const least = a.manifest.scoreThreshold;
  const close = () => Promise.all([a.close(), b.close()]);
  // Also while a model is loaded.
  const abort = () => void close();
  signal?.addEventListener('abort', abort);
  try {
    // One after the other: loading takes all cores.
    for (const side of [a, b]) {
      throwIfCancelled(signal);
      await side.load();
    }
    checkComparable(a, b);
    for (const [i, path] of pictures.entries()) {
      throwIfCancelled(signal);
      const file = basename(path);
      try {
        const image = await readPicture(path);
        const order = i % 2 === 0 ? [a, b] : [b, a];
        const parsings = [];
        for (const side of order) parsings.push(await side.parse(image, signal));
        const [left, right] = i % 2 === 0 ? parsings : parsings.toReversed();
        const agreement = agreementOf(outlineOf(left!), outlineOf(right!), least);
        agreements.push(agreement);
        ratios.push(a.lastSeconds / b.lastSeconds);
        if (isAmong(differences, agreement)) {
          const views = draw ? await drawViews(left!, right!) : undefined;
          differences = [...differences, { file, agreement, ...(views && { views }) }]
            .toSorted((one, other) => one.agreement.pixels - other.agreement.pixels)
            .slice(0, SHOWN);
        }
      } catch (error) {
        const { code, message } = asM2fpError(error, 'M2FP_BAD_IMAGE');
        if (signal?.aborted === true || !isOfOneImage(code)) throw error;
        leftOut.push({ file, code, message });
      }
      onProgress((i + 1) / pictures.length);
    }
    throwIfCancelled(signal);
    if (agreements.length === 0) {
      const [first] = leftOut;
      throw new M2fpError(
        'M2FP_BAD_IMAGE',
        `None of the pictures can be used: ${first?.file}: ${first?.message}`,
      );
    }
    return {
      labels: a.manifest.labels.slice(0, a.manifest.humanIndex ?? undefined),
      a: a.facts(),
      b: b.facts(),
      agreement: agreementOverall(agreements),
      speed: median(ratios),
      differences,
      leftOut,
    };
  } catch (error) {
    if (signal?.aborted === true) throw cancellation(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
    await close();
  }
}

/** Whether a picture is one of those to be told of. */
function isAmong(differences: readonly Difference[], { pixels }: PictureAgreement): boolean {
  if (pixels === 1) return false;
  return differences.length < SHOWN || pixels < differences.at(-1)!.agreement.pixels;
}
