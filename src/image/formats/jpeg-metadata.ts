/** A JPEG without what is no picture. */
import { checkJpeg } from './jpeg.ts';

const SOI = 0xd8;
const SOS = 0xda;
const COM = 0xfe;

/** The segments of programs that colours depend on, by their number and what they begin with. */
const KEPT: readonly [marker: number, start: string][] = [
  [0xe0, 'JFIF\0'],
  [0xe2, 'ICC_PROFILE\0'],
  [0xee, 'Adobe'],
];

/**
 * The JPEG with the same pixels, bit for bit, without EXIF, XMP, IPTC, comments, thumbnails, and what stands behind its end.
 * @returns null where it is not whole, or not laid out as programs do
 */
export async function withoutMetadata(jpeg: Buffer): Promise<Buffer | null> {
  const { state, end } = await checkJpeg(jpeg, { deep: false });
  if (state !== 'whole' || end === null || jpeg[1] !== SOI) return null;
  const kept = [jpeg.subarray(0, 2)];
  for (let at = 2; ;) {
    // Markers may stand behind any number of FF.
    while (jpeg[at] === 0xff && jpeg[at + 1] === 0xff) at++;
    const marker = jpeg[at + 1]!;
    if (jpeg[at] !== 0xff || at + 4 > end) return null;
    if (marker === SOS) {
      kept.push(jpeg.subarray(at, end + 2));
      return Buffer.concat(kept);
    }
    const length = jpeg.readUInt16BE(at + 2);
    const segment = jpeg.subarray(at, at + 2 + length);
    if (!isMetadata(marker, segment.subarray(4))) kept.push(segment);
    at += 2 + length;
  }
}

function isMetadata(marker: number, content: Buffer): boolean {
  if (marker === COM) return true;
  const isOfProgram = marker >= 0xe0 && marker <= 0xef;
  return (
    isOfProgram &&
    !KEPT.some(([known, start]) => known === marker && content.toString('latin1', 0, start.length) === start)
  );
}
