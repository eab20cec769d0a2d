/** Sentences, in English and Chinese. */
import { colorsText, type Language, type SpokenColor } from '../colors/words.ts';
import type { PersonDescription } from './types.ts';

const WORDS = {
  'en-US': {
    bareArms: 'bare arms',
    bareLegs: 'bare legs',
    somebody: 'a person',
    nobody: 'nobody',
    people: (n: number) => `${n} people: `,
    comma: ', ',
    between: ' ',
    next: '; ',
  },
  'zh-CN': {
    bareArms: '露出手臂',
    bareLegs: '露出腿部',
    somebody: '一个人',
    nobody: '没有人',
    people: (n: number) => `${n}个人：`,
    comma: '、',
    between: '',
    next: '；',
  },
} as const satisfies Record<Language, object>;

/** "red and white top". */
export function colored(noun: string, colors: readonly SpokenColor[], language: Language): string {
  if (colors.length === 0) return noun;
  return `${colorsText(colors, language)}${WORDS[language].between}${noun}`;
}

/** What one wears, what is bare, the hair. */
export function sentenceOf(
  {
    garments,
    hair,
    bareArms,
    bareLegs,
  }: Pick<PersonDescription, 'garments' | 'hair' | 'bareArms' | 'bareLegs'>,
  language: Language,
): string {
  const words = WORDS[language];
  const texts = [
    ...garments.map(({ text }) => text),
    ...(bareArms === true ? [words.bareArms] : []),
    ...(bareLegs === true ? [words.bareLegs] : []),
    ...(hair === null ? [] : [hair.text]),
  ];
  return texts.length === 0 ? words.somebody : texts.join(words.comma);
}

/** Of all persons. */
export function sentenceOfAll(
  persons: readonly Pick<PersonDescription, 'sentence'>[],
  language: Language,
): string {
  const words = WORDS[language];
  if (persons.length === 0) return words.nobody;
  const texts = persons.map(({ sentence }) => sentence);
  return texts.length === 1 ? texts[0]! : `${words.people(texts.length)}${texts.join(words.next)}`;
}
