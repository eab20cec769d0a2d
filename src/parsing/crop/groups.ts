/** Labels that belong together: those that the label sets know, and the user's own. */
import { LABEL_SETS, partGroup } from '../../m2fp/labels.ts';
import { PART_GROUPS, type PartGroup } from '../../m2fp/part-groups.ts';
import {
  badOption,
  entriesWithin,
  indicesOf,
  isRecord,
  labelKey,
  MAX_NAMES,
  tooMany,
} from '../options/options.ts';

/** Some labels under one name. */
export interface LabelGroup {
  name: string;
  /** Label indices. */
  indices: ReadonlySet<number>;
}

/** The name of a group of the label sets: "upperBody" is "upper-body", as labels are written. */
function nameOf(group: PartGroup): string {
  return group.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The names of the groups that need no definition, from head to foot. */
export const GROUP_NAMES: readonly string[] = PART_GROUPS.map(nameOf);

const KNOWN_LABELS = new Set(Object.values(LABEL_SETS).flatMap(({ labels }) => labels.map(labelKey)));

const ALLOWED = `names and unions such as "upper=UpperClothes+Coat, head", or an object such as {"upper": ["UpperClothes", "Coat"]}; groups that need no labels: ${GROUP_NAMES.join(', ')}`;

function knownGroup(name: string, labels: readonly string[]): LabelGroup | undefined {
  const group = PART_GROUPS.find((id) => nameOf(id) === labelKey(name));
  if (group === undefined) return undefined;
  const indices = labels.flatMap((label, index) => (partGroup(label) === group ? [index] : []));
  return { name: nameOf(group), indices: new Set(indices) };
}

/** Entries of the user's text: "upper=A+B" has labels, "head" has none. */
function entriesOfText(text: string): [name: string, members: string[] | undefined][] {
  return text
    .split(/[,;\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const at = entry.indexOf('=');
      if (at < 0) return [entry, undefined];
      return [entry.slice(0, at).trim(), entry.slice(at + 1).split('+')];
    });
}

function entriesOf(value: unknown): [name: string, members: unknown][] {
  if (typeof value === 'string') return entriesOfText(value);
  if (isRecord(value)) {
    const entries = entriesWithin(value);
    if (entries === null) throw tooMany('groups', `${ALLOWED}, of at most ${MAX_NAMES} names`);
    return entries;
  }
  throw badOption('groups', value, ALLOWED);
}

/**
 * The groups that `value` names, in its order; undefined or blank: all that the label sets know and the model has
 * labels of. A label that only other label sets have stands for nothing, so that one definition does for any model.
 * @param value text such as "upper=UpperClothes+Coat, head", or an object of names and lists of labels
 * @throws {M2fpError} `M2FP_BAD_OPTION` for a group that is neither known nor defined, and for a label that
 * neither the model nor a label set has
 */
export function readGroups(value: unknown, labels: readonly string[]): LabelGroup[] {
  const entries = value === undefined ? [] : entriesOf(value);
  const names = entries.reduce(
    (sum, [, members]) => sum + 1 + (Array.isArray(members) ? members.length : 0),
    0,
  );
  if (names > MAX_NAMES) throw badOption('groups', value, `${ALLOWED}, of at most ${MAX_NAMES} names`);
  if (entries.length === 0) {
    return GROUP_NAMES.map((name) => knownGroup(name, labels)!).filter(({ indices }) => indices.size > 0);
  }
  return entries.map(([name, members]) => {
    if (members === undefined) {
      const group = knownGroup(name, labels);
      if (group === undefined) throw badOption('groups', name, ALLOWED);
      return group;
    }
    if (name === '' || !Array.isArray(members) || members.length === 0) {
      throw badOption('groups', value, ALLOWED);
    }
    const indices = members.flatMap((label: unknown) => {
      const found = typeof label === 'string' ? indicesOf(label, labels) : [];
      const isKnown = typeof label === 'string' && KNOWN_LABELS.has(labelKey(label));
      if (found.length === 0 && !isKnown) {
        throw badOption('groups', label, `the model's labels: ${labels.join(', ')}`);
      }
      return found;
    });
    return { name, indices: new Set(indices) };
  });
}
