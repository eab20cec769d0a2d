/** What the fields of forms mean. A blank field leaves the choice to the default. */
import { M2fpError } from '../../src/errors.ts';

/**
 * A number field: undefined where it is blank, NaN where it is no number.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for a variable to which Node-RED has found no value
 */
export function numberField(field: unknown): number | undefined {
  if (field === undefined || field === null) return undefined;
  const text = (typeof field === 'string' ? field : JSON.stringify(field)).trim();
  if (text === '') return undefined;
  const [, variable] = /^\$\{([^}]+)\}$/.exec(text) ?? [];
  if (variable !== undefined) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `There is no environment variable ${variable}, which a field of the form names: set it, or enter a number.`,
    );
  }
  return Number(text);
}
