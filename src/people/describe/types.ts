/** What is told of people. Plain data: it travels as `msg.payload` and in `msg.parsing.persons`. */
import type { NamedColor } from '../colors/colors.ts';
import type { SpokenColor } from '../colors/words.ts';

export type DescribedColor = NamedColor<SpokenColor['term']>;

/** A garment, or something that a person carries; a pair of shoes is one. */
export interface Garment {
  /** The labels that the parsing has for it. */
  labels: string[];
  /** What it is called, English. */
  name: string;
  /** "dark blue trousers", in the language that was chosen. */
  text: string;
  /** The largest share first; empty where too few pixels show. */
  colors: DescribedColor[];
  /** Pixels of its masks. */
  area: number;
  /** Of the person's area, 0 to 1, three decimals. */
  share: number;
  score: number;
}

export type Edge = 'left' | 'top' | 'right' | 'bottom';

/** True or false where it can be seen, else null. */
export type Seen = boolean | null;

export interface PersonDescription {
  /** As in `parsing.persons`; null for the one person of a model that finds no whole persons. */
  id: number | null;
  /** The number that a track node gave. */
  track?: number;
  /** "red coat, dark blue trousers, black shoes"; "a person" where nothing can be told. */
  sentence: string;
  /** From head to foot, what is carried last. */
  garments: Garment[];
  /** Null: none is seen, or too little. */
  hair: { text: string; colors: DescribedColor[] } | null;
  hat: Seen;
  glasses: Seen;
  scarf: Seen;
  gloves: Seen;
  socks: Seen;
  shoes: Seen;
  /** More of an arm is seen bare than a hand. */
  bareArms: Seen;
  bareLegs: Seen;
  /** The edges of the picture that cut the person off. */
  cutOff: Edge[];
  /** Ids of the persons that touch or cover this one, or are covered by it. */
  overlaps: number[];
}

export interface Description {
  persons: PersonDescription[];
  /** Of all of them: "2 people: red coat, black shoes; white dress". */
  sentence: string;
}
