/** Sentences, in English and Chinese. */
import { colourText, type Language } from '../colours/words.ts';
import type { Color, PersonDescription } from './types.ts';

const WORDS = {
  'en-US': {
    blond: 'blond',
    bareArms: 'bare arms',
    bareLegs: 'bare legs',
    somebody: 'a person',
    nobody: 'nobody',
    people: (n: number) => `${n} people: `,
    comma: ', ',
    and: ' and ',
    between: ' ',
    next: '; ',
  },
  'zh-CN': {
    blond: '金色',
    bareArms: '露出手臂',
    bareLegs: '露出腿部',
    somebody: '一个人',
    nobody: '没有人',
    people: (n: number) => `${n}个人：`,
    comma: '、',
    and: '和',
    between: '',
    next: '；',
  },
} as const satisfies Record<Language, object>;

/** "red, white and blue top". */
export function coloured(
  noun: string,
  colors: readonly Pick<Color, 'term' | 'shade'>[],
  language: Language,
): string {
  const words = WORDS[language];
  const texts = colors.map(({ term, shade }) =>
    term === 'blond' ? words.blond : colourText({ term, shade }, language),
  );
  if (texts.length === 0) return noun;
  const all = [texts.slice(0, -1).join(words.comma), texts.at(-1)].filter((text) => text !== '');
  return `${all.join(words.and)}${words.between}${noun}`;
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
