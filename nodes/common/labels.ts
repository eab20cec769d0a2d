/** Labels that a form or a message names, for the model at hand. */
import { LABEL_SETS } from '../../src/m2fp/labels.ts';
import { labelKey } from '../../src/parsing/options/options.ts';

const KNOWN = new Set(Object.values(LABEL_SETS).flatMap(({ labels }) => labels.map(labelKey)));

/**
 * The chosen names without those that only models of other label sets have: a choice outlives a change of the model.
 * A name that no label set has stays, so that a misspelt one is found, and so do all where the model has none of
 * them: to do nothing would not be what was chosen.
 */
export function labelsInModel(
  names: readonly string[] | undefined,
  labels: readonly string[],
): readonly string[] | undefined {
  const own = new Set(labels.map(labelKey));
  const left = names?.filter((name) => own.has(labelKey(name)) || !KNOWN.has(labelKey(name)));
  return left?.length === 0 ? names : left;
}
