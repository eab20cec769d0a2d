/** Masks for editing: what is to be painted anew is white, all else black. */
import { M2fpError } from '../../errors.ts';
import { encodeImage } from '../../image/encode.ts';
import { forEachSlice } from '../../image/slices.ts';
import type { RawImage } from '../../image/types.ts';
import { checkParsing } from '../check.ts';
import { encodeNumbers } from '../colorize/indexed-png.ts';
import { boxOfAlpha, marginOf, softenMask } from '../masks/feather.ts';
import { decodeSource } from '../source.ts';
import type { Box, Parsing } from '../types.ts';
import { partsMask } from './chosen-parts.ts';
import { type MaskOptions, type MaskPlan, readMaskOptions, type Whose } from './mask-options.ts';
import { tryOnMask } from './try-on.ts';

export type { MaskOptions } from './mask-options.ts';

export interface Masked {
  /** A PNG of one channel of 8 bits, as large as the picture: 255 is to be painted, 0 is kept; grey only with `feather`. */
  mask: Buffer;
  /** The picture, grey (127) where the mask is white; with the output `agnostic` and `all`. */
  agnostic?: Buffer;
  /** The picture itself, turned as the mask is; with the output `all`. */
  image?: Buffer;
  /** Pixels. */
  width: number;
  height: number;
  /** Around what is not black; null where all is. */
  box: Box | null;
  /** Pixels that are not black. */
  area: number;
  /** The same, as share of the picture, 0 to 1, four decimals. */
  share: number;
  /** Ids of the persons that it is of. */
  persons: number[];
  /** The ids of the option `persons` that the parsing does not have. */
  missing: number[];
  /** The labels that were found: of `try-on` the garments that are painted over, of `parts` the chosen ones. */
  labels: string[];
}

/** What the try-on tools paint where the mask is white. */
const GREY = 127;

/** A piece of the picture with its mask. */
interface Piece {
  window: Box;
  /** 0 or 1. */
  mask: Uint8Array;
  /** 1 where nothing is painted, whatever becomes of the mask. */
  kept?: Uint8Array;
}

/**
 * Makes a mask of `parsing`, and with it, if asked for, the agnostic picture. Pixel work goes in slices between turns of the
 * event loop; nothing is written into the parsing. With `try-on` no pixel of a face, a hand or another person is ever white.
 *
 * @throws {M2fpError} `M2FP_NO_PARSING` where `parsing` is none, or its picture has another size than it says;
 * `M2FP_BAD_OPTION` naming the option that is wrong; `M2FP_NOTHING_FOUND` where nothing is to be painted
 */
export async function makeMask(parsing: Parsing, options?: MaskOptions): Promise<Masked> {
  checkParsing(parsing);
  const plan = readMaskOptions(parsing.labels, options);
  const { width, height } = parsing;
  const { persons, missing } = chosenPersons(parsing, plan.whose);
  const { pieces, found } = await piecesOf(parsing, plan, persons);

  const alpha = new Uint8Array(width * height);
  for (const piece of pieces) await lay(piece, plan, alpha, width);
  if (plan.mode === 'parts' && plan.invert) {
    await forEachSlice(alpha.length, 1, (first, end) => {
      for (let p = first; p < end; p++) alpha[p] = 255 - alpha[p]!;
    });
  }
  const box = (await boxOfAlpha(alpha, width, height)) ?? null;
  if (box === null && plan.empty === 'error') throw nothing(parsing, plan, missing);
  let area = 0;
  await forEachSlice(alpha.length, 1, (first, end) => {
    for (let p = first; p < end; p++) if (alpha[p] !== 0) area++;
  });

  return {
    mask: await encodeNumbers(alpha, width, height),
    ...(plan.output !== 'mask' && (await pictures(parsing, plan, alpha))),
    width,
    height,
    box,
    area,
    share: Math.round((10_000 * area) / (width * height)) / 10_000,
    persons: persons ?? parsing.persons.map(({ id }) => id),
    missing,
    labels: found.map((index) => parsing.labels[index]!),
  };
}

/** Null for everybody, and what belongs to nobody. */
function chosenPersons(parsing: Parsing, whose: Whose): { persons: number[] | null; missing: number[] } {
  const { persons } = parsing;
  // Models of single persons find none, and all belongs to the one in the picture.
  if (whose === 'all' || (whose === 'largest' && persons.length === 0)) return { persons: null, missing: [] };
  if (whose === 'largest') {
    const largest = persons.reduce((best, person) => (person.area > best.area ? person : best));
    return { persons: [largest.id], missing: [] };
  }
  const isThere = (id: number): boolean => persons.some((person) => person.id === id);
  const ids = [...whose];
  return { persons: ids.filter(isThere), missing: ids.filter((id) => !isThere(id)) };
}

async function piecesOf(
  parsing: Parsing,
  plan: MaskPlan,
  persons: readonly number[] | null,
): Promise<{ pieces: Piece[]; found: number[] }> {
  // One pixel more, so that a mask that fills its window has an outside.
  const extra = marginOf(plan) + 1;
  if (plan.mode === 'parts') {
    const made = await partsMask(parsing, persons && new Set(persons), plan, extra);
    return { pieces: made === null ? [] : [made], found: made?.found ?? [] };
  }
  const ids = persons ?? parsing.persons.map(({ id }) => id);
  const pieces: Piece[] = [];
  const found = new Set<number>();
  for (const id of parsing.persons.length === 0 && persons === null ? [null] : ids) {
    const made = await tryOnMask(parsing, id, plan.tryOn, extra);
    pieces.push(made);
    for (const index of made.worn) found.add(index);
  }
  return { pieces, found: [...found].toSorted((a, b) => a - b) };
}

/** Lays the mask of a piece, with its edge as the plan says, over `alpha`. */
async function lay(
  { window, mask, kept }: Piece,
  plan: MaskPlan,
  alpha: Uint8Array,
  stride: number,
): Promise<void> {
  const { width, height } = window;
  const isChanged = plan.grow !== 0 || plan.feather > 0;
  const soft = isChanged ? await softenMask(mask, width, height, plan) : mask;
  await forEachSlice(height, 4 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      let at = (window.y + y) * stride + window.x;
      for (let p = y * width; p < (y + 1) * width; p++, at++) {
        if (kept?.[p] === 1) continue;
        let value = isChanged ? soft[p]! : 255 * soft[p]!;
        if (plan.feather === 0) value = value < 128 ? 0 : 255;
        if (value > alpha[at]!) alpha[at] = value;
      }
    }
  });
}

function nothing(parsing: Parsing, { mode, tryOn, whose }: MaskPlan, missing: number[]): M2fpError {
  const what =
    mode === 'try-on'
      ? `nothing that a garment of the kind "${tryOn.garment}" covers`
      : 'none of the chosen labels';
  const who =
    parsing.persons.length === 0 && parsing.parts.length === 0
      ? 'the picture shows nobody'
      : missing.length > 0
        ? `${what} was found, and there is no person ${missing.join(', ')}`
        : `${what} was found${whose === 'all' ? '' : ' on whom the mask is for'}`;
  return new M2fpError(
    'M2FP_NOTHING_FOUND',
    `The mask would be black: ${who}. Choose another person or other parts, or set "empty" to "pass" to get a black mask.`,
  );
}

async function pictures(
  parsing: Parsing,
  { output, encoding }: MaskPlan,
  alpha: Uint8Array,
): Promise<Pick<Masked, 'agnostic' | 'image'>> {
  const source = await decodeSource(parsing);
  const image = output === 'all' ? { image: await encodeImage(source, encoding) } : {};
  await paintGrey(source, alpha);
  return { agnostic: await encodeImage(source, encoding), ...image };
}

/** In place: grey, and opaque, as far as the mask is white. */
async function paintGrey({ data, channels, width, height }: RawImage, alpha: Uint8Array): Promise<void> {
  await forEachSlice(width * height, 8, (first, end) => {
    for (let p = first; p < end; p++) {
      const share = alpha[p]! / 255;
      if (share === 0) continue;
      const at = p * channels;
      for (let i = at; i < at + 3; i++) data[i] = Math.round(data[i]! + (GREY - data[i]!) * share);
      if (channels === 4) data[at + 3] = Math.max(data[at + 3]!, alpha[p]!);
    }
  });
}
