/** The picture that is laid over what is hidden. */
import { readBoundedBytes } from '../../src/bounded-file.ts';
import { M2fpError } from '../../src/errors.ts';
import { imageFromMessage } from '../../src/image/index.ts';

/** Bytes of the file. */
const MOST = 8 * 1024 * 1024;

/**
 * The encoded picture: that of the message, or the file that the form names. A message names no files: whoever may send
 * options could have any picture of this machine shown.
 * @param inMessage a Buffer, base64 or a data URL
 * @throws {M2fpError} `M2FP_BAD_OPTION` where the file cannot be read; as `imageFromMessage` does
 */
export async function overlayOf(inForm: unknown, inMessage: unknown): Promise<Buffer | undefined> {
  if (inMessage !== undefined) return imageFromMessage(inMessage);
  if (typeof inForm !== 'string') return undefined;
  try {
    return await readBoundedBytes(inForm, MOST);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The picture of the form, ${inForm}, cannot be read: ${code === undefined ? `it ${message}` : code}. Name a file of this machine.`,
      { cause: error },
    );
  }
}
