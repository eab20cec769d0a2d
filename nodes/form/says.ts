/**
 * What Node-RED says of a model, in the language of the editor: its errors and warnings are in English, for logs and for who
 * looks them up. The group `about.says` of the English catalogue has those that the form is likely to show, word for word.
 */
import en from '../m2fp-model/locales/en-US/m2fp-model.json' with { type: 'json' };
import type { EditorRed } from './editor.ts';
import { matching, patternsOf } from './patterns.ts';
import { sharedText } from './texts.ts';

/** A message in the user's language; one that no catalogue has is shown as it came, with what its code means before it. */
export type Says = (message: string, code?: string | null) => string;

const wordsIn = (text: string): number => text.replaceAll(/__\w+?__/g, '').length;
const TEXTS = Object.entries<string>(en['m2fp-model'].about.says)
  // One that says more tells more exactly what it is.
  .toSorted(([, one], [, other]) => wordsIn(other) - wordsIn(one));
const PATTERNS = patternsOf(Object.fromEntries(TEXTS), 'about.says', '.+?');

export function saysIn(RED: Pick<EditorRed, '_'>): Says {
  const error = (code: string): string => sharedText(RED, `error.${code}`);
  const says: Says = (message, code) => {
    const found = matching(PATTERNS, message);
    if (found === undefined)
      return sharedText(RED, 'about.unknown', { message, what: error(code ?? 'other') });
    const { key, values } = found;
    return sharedText(RED, key, {
      ...values,
      ...(values['code'] !== undefined && { code: error(values['code']) }),
      // The reason of another one.
      ...(values['message'] !== undefined && { message: says(values['message'], code) }),
    });
  };
  return says;
}
