/** What labels are called in a sentence, and what they are. */
import { BACKGROUND_INDEX, labelKey, personIndex } from '../../parsing/options/options.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { Language } from '../colors/words.ts';

/** `clothes`: what people wear. `things`: what they carry. The others are of the body. */
export type Kind = 'clothes' | 'things' | 'hair' | 'face' | 'neck' | 'arm' | 'leg';

/** What is told of a label; labels of one name are one thing (left and right shoe). */
export interface Word {
  kind: Kind;
  /** In data and in English sentences. */
  name: string;
  chinese: string;
  /** It is small: gloves, socks, glasses. */
  small?: true;
}

const BODY: Readonly<Record<string, Word>> = {
  hair: { kind: 'hair', name: 'hair', chinese: '头发' },
  face: { kind: 'face', name: 'face', chinese: '脸' },
  'torso-skin': { kind: 'neck', name: 'neck', chinese: '颈部' },
  'left-arm': { kind: 'arm', name: 'left arm', chinese: '左臂' },
  'right-arm': { kind: 'arm', name: 'right arm', chinese: '右臂' },
  'left-leg': { kind: 'leg', name: 'left leg', chinese: '左腿' },
  'right-leg': { kind: 'leg', name: 'right leg', chinese: '右腿' },
};

/** Of a body, and nothing can be told of them: models name bare and dressed limbs alike, or they are too small. */
const UNTOLD = new Set([
  'head',
  'torso',
  'upper-arm',
  'lower-arm',
  'upper-leg',
  'lower-leg',
  'left-hand',
  'right-hand',
  'left-foot',
  'right-foot',
]);

/** From head to foot, the outer before the inner: the order in sentences. */
const WORN: readonly (readonly [labels: string, name: string, chinese: string, what?: 'small' | 'things'])[] =
  [
    ['hat cap/hat headwear', 'hat', '帽子', 'small'],
    ['helmet', 'helmet', '头盔', 'small'],
    ['sunglasses', 'sunglasses', '墨镜', 'small'],
    ['eyewear', 'glasses', '眼镜', 'small'],
    ['scarf', 'scarf', '围巾', 'small'],
    ['coat', 'coat', '外套'],
    ['jacket/windbreaker/hoodie', 'jacket', '夹克'],
    ['robe', 'robe', '长袍'],
    ['jumpsuits', 'jumpsuit', '连体裤'],
    ['other-full-body-clothes', 'overall', '全身服装'],
    ['dress', 'dress', '连衣裙'],
    ['upperclothes other-upper-body-clothes', 'top', '上衣'],
    ['sweater', 'sweater', '毛衣'],
    ['t-shirt', 'T-shirt', 'T恤'],
    ['polo-shirt', 'polo shirt', 'Polo衫'],
    ['singlet', 'singlet', '背心'],
    ['bikini/bra', 'bikini', '比基尼'],
    ['tie', 'tie', '领带', 'small'],
    ['belt', 'belt', '腰带', 'small'],
    ['skirt', 'skirt', '裙子'],
    ['pants', 'trousers', '裤子'],
    ['shorts/swim-shorts', 'shorts', '短裤'],
    ['other-lower-body-clothes', 'lower garment', '下装'],
    ['gloves glove', 'gloves', '手套', 'small'],
    ['watch', 'watch', '手表', 'small'],
    ['wristband', 'wristband', '腕带', 'small'],
    ['stockings', 'stockings', '长袜', 'small'],
    ['socks', 'socks', '袜子', 'small'],
    ['left-shoe right-shoe', 'shoes', '鞋子', 'small'],
    ['left-boot right-boot', 'boots', '靴子', 'small'],
    ['left-highheel right-highheel', 'high heels', '高跟鞋', 'small'],
    ['left-sandal right-sandal', 'sandals', '凉鞋', 'small'],
    ['backpack', 'backpack', '背包', 'things'],
    ['carrybag', 'bag', '提包', 'things'],
    ['cases', 'case', '箱子', 'things'],
    ['wallet/purse', 'purse', '钱包', 'things'],
    ['umbrella', 'umbrella', '雨伞', 'things'],
  ];

const KNOWN = new Map<string, Word>([
  ...Object.entries(BODY),
  ...WORN.flatMap(([labels, name, chinese, what]) =>
    labels.split(' ').map((label): [string, Word] => [
      label,
      {
        kind: what === 'things' ? 'things' : 'clothes',
        name,
        chinese,
        ...(what !== undefined && { small: true }),
      },
    ]),
  ),
]);
const ORDER = new Map(WORN.map(([, name], rank) => [name, rank]));

/** Names of what covers the feet, the head and the eyes. */
export const SHOES: readonly string[] = ['shoes', 'boots', 'high heels', 'sandals'];
export const HATS: readonly string[] = ['hat', 'helmet'];
export const GLASSES: readonly string[] = ['sunglasses', 'glasses'];
/** Of what covers the upper body, so that a scarf would be seen. */
export const UPPER: ReadonlySet<string> = new Set(
  WORN.slice(
    WORN.findIndex(([, name]) => name === 'coat'),
    WORN.findIndex(([, name]) => name === 'tie'),
  ).map(([, name]) => name),
);

/** Where a name stands in a sentence; those that nobody knows come last. */
export function rankOf(name: string): number {
  return ORDER.get(name) ?? WORN.length;
}

/**
 * What each label of a parsing is called, by its index; undefined for the background, the whole person and those of which
 * nothing can be told. A label that is in no set of ours is a garment by its own name.
 */
export function wordsOf(parsing: Parsing): (Word | undefined)[] {
  const human = personIndex(parsing);
  return parsing.labels.map((label, index) => {
    const key = labelKey(label);
    if (index === BACKGROUND_INDEX || index === human || UNTOLD.has(key)) return undefined;
    const name = label
      .trim()
      .toLowerCase()
      .replace(/[\s_-]+/g, ' ');
    return KNOWN.get(key) ?? { kind: 'clothes', name, chinese: label };
  });
}

export function nounOf(word: Pick<Word, 'name' | 'chinese'>, language: Language): string {
  return language === 'zh-CN' ? word.chinese : word.name;
}
