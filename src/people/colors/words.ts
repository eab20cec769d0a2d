/** Colour names in the languages that sentences are made in. */
import type { ColorTerm, Shade } from './terms.ts';

export const LANGUAGES = ['en-US', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];

/** A colour's name; of hair people say blond, too. */
export interface SpokenColor {
  term: ColorTerm | 'blond';
  /** Null: neither dark nor light for its term. */
  shade: Shade | null;
}

const CHINESE: Readonly<Record<SpokenColor['term'], string>> = {
  black: '黑',
  white: '白',
  grey: '灰',
  red: '红',
  orange: '橙',
  yellow: '黄',
  green: '绿',
  blue: '蓝',
  purple: '紫',
  pink: '粉',
  brown: '棕',
  blond: '金',
};
const CHINESE_SHADES: Readonly<Record<Shade, string>> = { dark: '深', light: '浅' };

/** "dark blue", "深蓝色". */
export function colorText({ term, shade }: SpokenColor, language: Language): string {
  if (language === 'zh-CN') return `${shade === null ? '' : CHINESE_SHADES[shade]}${CHINESE[term]}色`;
  return shade === null ? term : `${shade} ${term}`;
}

/** Several of them: "red and white", "红色和白色". */
export function colorsText(colors: readonly SpokenColor[], language: Language): string {
  return listed(
    colors.map((color) => colorText(color, language)),
    language,
  );
}

/** "red, white and blue", "红色、白色和蓝色". */
function listed(texts: readonly string[], language: Language): string {
  const [comma, and] = language === 'zh-CN' ? ['、', '和'] : [', ', ' and '];
  if (texts.length < 2) return texts.join('');
  return `${texts.slice(0, -1).join(comma)}${and}${texts.at(-1)}`;
}
