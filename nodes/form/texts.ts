/** The texts of the message catalogues. */
import type { EditorRed } from './editor.ts';

const MODULE = '@m2fp/node-red-human-parsing';

export type Values = Readonly<Record<string, string | number>>;

/** The text `key` of the node `type`. */
export function nodeText(RED: EditorRed, type: string, key: string, values?: Values): string {
  return RED._(`${MODULE}/${type}:${type}.${key}`, values);
}

/** The text `key` of the catalogue that all nodes share. */
export function sharedText(RED: EditorRed, key: string, values?: Values): string {
  return nodeText(RED, 'm2fp-model', key, values);
}
