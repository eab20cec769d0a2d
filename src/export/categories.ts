/** What a data set's annotations are called. */
import { BACKGROUND_INDEX, firstOfName, labelKey } from '../parsing/options/options.ts';
import type { DataSetPlan } from './export-options.ts';

export interface Category {
  /** The label's index in the model where categories are parts, else from 1. */
  id: number;
  name: string;
}

/** Labels of bodies, by {@link labelKey} without the side; what else a person has is worn or carried. */
const BODY = new Set(
  'hair face head torso torso-skin arm upper-arm lower-arm hand leg upper-leg lower-leg foot'.split(' '),
);

/** Labels of things that are carried. */
const CARRIED = new Set(
  'protector backpack ball bats bottle carrybag cases umbrella wallet/purse other-accessaries'.split(' '),
);

/** Whole persons, as label sets call them. */
const WHOLE = new Set(['human', 'person']);

const SIDE = /^(?:left|right)[\s_-]+/i;

export interface Categories {
  list: readonly Category[];
  /** Label index -> place in `list`; -1 for what is not annotated. */
  ofLabel: readonly number[];
}

/** The categories of a model's labels. They depend on nothing else, so that all pictures of a model have the same. */
export function categoriesOf(labels: readonly string[], content: DataSetPlan['content']): Categories {
  if (content === 'persons') return { list: [{ id: 1, name: 'person' }], ofLabel: labels.map(() => -1) };
  const garments = content === 'garments';
  const firsts = firstOfName(labels);
  const list: Category[] = [];
  const places = new Map<string, number>();
  const ofLabel = labels.map((label, index) => {
    const isWhole = index === labels.length - 1 && WHOLE.has(labelKey(label));
    if (index === BACKGROUND_INDEX || isWhole) return -1;
    const pair = label.trim().replace(SIDE, '');
    if (garments && (BODY.has(labelKey(pair)) || CARRIED.has(labelKey(pair)))) return -1;
    const name = garments ? pair.replace(/^./, (letter) => letter.toUpperCase()) : labels[firsts[index]!]!;
    const key = labelKey(name);
    let place = places.get(key);
    if (place === undefined) {
      places.set(key, (place = list.length));
      list.push({ id: garments ? list.length + 1 : index, name });
    }
    return place;
  });
  return { list, ofLabel };
}
