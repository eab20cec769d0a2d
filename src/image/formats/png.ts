/** A PNG without the texts that somebody filled it with. */
import { turns } from '../slices.ts';

const SIGNATURE = 8;

/** zTXt, iTXt and tEXt, as numbers. */
const TEXTS: ReadonlySet<number> = new Set([0x7a545874, 0x69545874, 0x74455874]);

/** Texts that are left in: programs write a handful. */
const MAX_TEXTS = 16;

/**
 * The PNG without its text chunks where it has more of them than any program writes: the decoder unpacks each, up to
 * 8 MB, and nobody reads them.
 *
 * Source: PNG (ISO/IEC 15948), section 5.3.
 */
export async function withoutTexts(bytes: Buffer): Promise<Buffer> {
  const turn = turns();
  const kept: Buffer[] = [];
  let texts = 0;
  let from = 0;
  for (let at = SIGNATURE; at + 12 <= bytes.length;) {
    const pause = turn();
    if (pause !== undefined) await pause;
    const next = at + 12 + bytes.readUInt32BE(at);
    if (TEXTS.has(bytes.readUInt32BE(at + 4)) && ++texts > MAX_TEXTS) {
      if (from < at) kept.push(bytes.subarray(from, at));
      from = next;
    }
    at = next;
  }
  return texts <= MAX_TEXTS ? bytes : Buffer.concat([...kept, bytes.subarray(from)]);
}
