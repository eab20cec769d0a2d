/** Ids of persons, as options and texts of forms list them. */
import { namesInText, numberOrText } from './option-table.ts';
import { badOption, isWhole } from './options.ts';

/** The ids in a text, separated by commas. */
export function idsInText(text: string): number[] {
  return namesInText(text).map(numberOrText);
}

/**
 * The ids that `given`, a list or a text, names.
 * @param allowed what else the option takes, for the error
 * @throws {M2fpError} `M2FP_BAD_OPTION` for anything else, and for an empty list: it often comes of a choice that found nobody
 */
export function personIds(name: string, given: unknown, allowed: string): Set<number> {
  const value = typeof given === 'string' ? idsInText(given) : given;
  const isIds = (ids: unknown): ids is number[] =>
    Array.isArray(ids) && ids.length > 0 && ids.every((id) => isWhole(id, 1, 255));
  if (!isIds(value)) {
    throw badOption(name, given, `a list of ids of persons, each from 1 to 255, such as [1, 2]; ${allowed}`);
  }
  return new Set(value);
}
