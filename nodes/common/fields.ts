/** What the fields of forms mean. A blank field leaves the choice to the default. */
import { badField, type Entered } from './stored-form.ts';

/**
 * A number field: undefined where it is blank.
 * @param allowed how an error calls what it takes
 * @param entered what stood in the field before Node-RED put the value of an environment variable in
 * @throws {M2fpError} `M2FP_BAD_OPTION` naming the field, for what is no number, and for a variable that is not set
 */
export function numberField(
  name: string,
  value: unknown,
  allowed = 'a number',
  entered: Entered = () => undefined,
): number | undefined {
  if (value === undefined || value === null) return undefined;
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).trim();
  if (text === '') return undefined;
  const number = Number(text);
  if (Number.isNaN(number)) throw badField(name, value, allowed, entered);
  return number;
}
