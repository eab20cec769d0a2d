/** Reading what was typed behind a bench's name. */
import { M2fpError } from '../src/errors.ts';

/**
 * A whole number above 0, of an option that was typed.
 * @throws M2fpError M2FP_BAD_OPTION
 */
export function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new M2fpError('M2FP_BAD_OPTION', `--${name} must be a whole number above 0, not "${text}".`);
  }
  return Number(text);
}
