/**
 * Which labels are chosen, as the property of a node stores it: names with commas between, so that the choice
 * outlives a change of the model. Blank means all parts, whatever the model; `none` means none.
 */
import { labelKey } from '../../src/parsing/options/options.ts';

const NONE = 'none';

export function isNone(stored: unknown): boolean {
  return asText(stored) === NONE;
}

/** The names on show. */
export interface Offer {
  /** Parts of the body, which are what blank stands for. */
  parts: readonly string[];
  /** The background and the whole person, which blank does not include. */
  extras: readonly string[];
}

export interface Choice {
  /** The names on show that are chosen. */
  chosen: readonly string[];
  /** Chosen names that are not on show: another model may have them. */
  kept: readonly string[];
}

/** Reads the stored text. */
export function readChoice(stored: unknown, { parts, extras }: Offer): Choice {
  const text = asText(stored);
  if (text === '') return { chosen: parts, kept: [] };
  if (text === NONE) return { chosen: [], kept: [] };
  const names = new Map(
    text.split(',').flatMap((name) => (name.trim() === '' ? [] : [[labelKey(name), name.trim()] as const])),
  );
  const shown = [...parts, ...extras];
  const shownKeys = new Set(shown.map(labelKey));
  return {
    chosen: shown.filter((name) => names.has(labelKey(name))),
    kept: [...names].flatMap(([key, name]) => (shownKeys.has(key) ? [] : [name])),
  };
}

/** The text to store. All parts on show, and nothing else on show, are all parts of any model. */
export function writeChoice({ chosen, kept }: Choice, { parts, extras }: Offer): string {
  const has = (name: string): boolean => chosen.includes(name);
  if (parts.length > 0 && parts.every(has) && !extras.some(has)) return '';
  const names = [...[...parts, ...extras].filter(has), ...kept];
  return names.length === 0 ? NONE : names.join(', ');
}

/** The choice with `names` in it, or out of it. */
export function choose(choice: Choice, names: readonly string[], isChosen: boolean): Choice {
  const others = choice.chosen.filter((name) => !names.includes(name));
  return { ...choice, chosen: isChosen ? [...others, ...names] : others };
}

/** The same for names that are not on show. */
export function keep(choice: Choice, names: readonly string[], isChosen: boolean): Choice {
  const others = choice.kept.filter((name) => !names.includes(name));
  return { ...choice, kept: isChosen ? [...others, ...names] : others };
}

/** The other parts; the background and the whole person stay as they are. */
export function invert({ chosen, kept }: Choice, { parts, extras }: Offer): Choice {
  const has = (name: string): boolean => chosen.includes(name);
  return { chosen: [...parts.filter((name) => !has(name)), ...extras.filter(has)], kept };
}

function asText(stored: unknown): string {
  return typeof stored === 'string' ? stored.trim() : '';
}
