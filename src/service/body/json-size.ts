/** JSON that is no picture is refused before it is read. */
import { M2fpError } from '../../errors.ts';

const MEBIBYTE = 1024 * 1024;

/** JSON above this is a picture as text: it has few values. */
const LARGE = 5 * MEBIBYTE;
const FEW_VALUES = 1000;

/** Texts, lists and objects in JSON: what has more is no picture, and reading and copying it would hold everybody up. */
const MANY_VALUES = 5000;

/**
 * Counts what begins a value. A picture may be many numbers, with commas between them, but it is not many of anything else.
 * @throws {M2fpError} `M2FP_NO_IMAGE` for thousands of texts, lists or objects; `M2FP_IMAGE_TOO_LARGE` for large JSON
 *   of more than one text
 */
export function checkJson(body: Buffer): void {
  const isLarge = body.length > LARGE;
  let values = 0;
  for (const mark of isLarge ? ['"', '[', '{', ','] : ['"', '[', '{']) {
    for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + 1)) {
      if (++values <= (isLarge ? FEW_VALUES : MANY_VALUES)) continue;
      if (isLarge) {
        throw new M2fpError(
          'M2FP_IMAGE_TOO_LARGE',
          `JSON of more than ${LARGE / MEBIBYTE} MB may hold a picture only as base64 or data URL.`,
        );
      }
      throw new M2fpError(
        'M2FP_NO_IMAGE',
        'The JSON holds thousands of texts, lists or objects: send the picture as base64 or data URL, alone or in the ' +
          'property "image".',
      );
    }
  }
}
