/** What of a person is painted, and what is kept, for each kind of garment. By names of labels, so for any label set. */
import { labelKey } from '../options/options.ts';

export const GARMENTS = ['upper', 'lower', 'dress', 'inner', 'outer'] as const;
export type Garment = (typeof GARMENTS)[number];

/** What the label sets call one and the same thing, by {@link labelKey}. */
const NAMES = {
  upper: [
    'upperclothes',
    'upper-clothes',
    'shirt',
    'blouse',
    't-shirt',
    'polo-shirt',
    'sweater',
    'vest',
    'singlet',
    'bikini/bra',
    'tie',
    'other-upper-body-clothes',
    'torso',
  ],
  coat: ['coat', 'jacket', 'hoodie', 'cardigan', 'jacket/windbreaker/hoodie'],
  dress: ['dress', 'robe', 'other-full-body-clothes'],
  jumpsuit: ['jumpsuits', 'jumpsuit'],
  pants: [
    'pants',
    'trousers',
    'jeans',
    'leggings',
    'shorts',
    'shorts/swim-shorts',
    'belt',
    'other-lower-body-clothes',
  ],
  skirt: ['skirt'],
  torso: ['torso-skin', 'upper-arm'],
  arm: ['left-arm', 'right-arm', 'lower-arm'],
  leg: ['left-leg', 'right-leg', 'upper-leg', 'lower-leg'],
  hand: ['left-hand', 'right-hand', 'gloves', 'glove'],
  foot: ['left-foot', 'right-foot'],
  footwear: [
    'left-shoe',
    'right-shoe',
    'left-boot',
    'right-boot',
    'left-highheel',
    'right-highheel',
    'left-sandal',
    'right-sandal',
    'socks',
    'stockings',
  ],
  face: ['face', 'sunglasses', 'eyewear', 'head'],
  hair: ['hair'],
} satisfies Record<string, string[]>;

/** `other`: hats, scarfs, things, and what no label set knows. */
export type Kind = keyof typeof NAMES | 'other';

const KIND_OF = new Map(
  Object.entries(NAMES).flatMap(([kind, names]) => names.map((name) => [name, kind as Kind] as const)),
);

/** What a label stands for. */
export function kindOf(label: string): Kind {
  return KIND_OF.get(labelKey(label)) ?? 'other';
}

interface Rule {
  /** Always painted. */
  clothes: readonly Kind[];
  /** Painted, except hands and feet. */
  skin: readonly Kind[];
  /** Of both, what tells where the body lies that the new garment covers: painted with a wide margin. */
  body: readonly Kind[];
}

const WHOLE_BODY = ['upper', 'coat', 'dress', 'jumpsuit'] as const;
const ALL_CLOTHES = [...WHOLE_BODY, 'pants', 'skirt'] as const;

export const RULES: Readonly<Record<Garment, Rule>> = {
  upper: { clothes: WHOLE_BODY, skin: ['torso', 'arm'], body: [...WHOLE_BODY, 'torso', 'arm'] },
  lower: {
    clothes: ['pants', 'skirt', 'dress', 'jumpsuit'],
    skin: ['leg'],
    body: ['pants', 'skirt', 'leg'],
  },
  dress: {
    clothes: ALL_CLOTHES,
    skin: ['torso', 'arm', 'leg'],
    body: [...ALL_CLOTHES, 'torso', 'arm', 'leg'],
  },
  inner: { clothes: ['upper'], skin: ['torso', 'arm'], body: ['upper', 'torso'] },
  outer: { clothes: ['coat'], skin: ['torso', 'arm'], body: ['coat', 'torso', 'arm'] },
};
