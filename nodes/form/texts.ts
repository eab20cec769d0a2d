/** The texts of the message catalogues. */
import type { EditorRed } from './editor.ts';

const MODULE = '@m2fp/node-red-human-parsing';

export type Values = Readonly<Record<string, string | number>>;

/** Any object that translates. */
type Texts = Pick<EditorRed, '_'>;

/** The text `key` of the node `type`. */
export function nodeText(RED: Texts, type: string, key: string, values?: Values): string {
  return RED._(`${MODULE}/${type}:${type}.${key}`, values);
}

/** The text `key` of the catalogue that all nodes share. */
export function sharedText(RED: Texts, key: string, values?: Values): string {
  return nodeText(RED, 'm2fp-model', key, values);
}

/** A label in the user's language; as it is where no catalogue knows it. */
export function labelName(RED: Texts, name: string): string {
  const key = `parts.name.${name}`;
  const translated = sharedText(RED, key);
  return translated.endsWith(key) ? name : translated;
}

/** The same, with the name that messages and flows have behind it where that is another. */
export function labelText(RED: Texts, name: string): string {
  const translated = labelName(RED, name);
  // "Upper clothes" says UpperClothes.
  return lettersOf(translated) === lettersOf(name) ? translated : `${translated} (${name})`;
}

function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\d]+/gu, '');
}
