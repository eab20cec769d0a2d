/** What the specs of colouring share: two persons, and a colour for each label. */
import type { Parsing } from '../../../src/parsing/types.ts';
import { parsingOf } from '../scene.ts';

/** The background, three labels and the whole person. */
export const LABELS = ['Background', 'Hair', 'Face', 'Coat', 'Human'];

/** A colour for each of {@link LABELS}. */
export const COLORS = {
  Background: '#010203',
  Hair: '#c80000',
  Face: '#00c800',
  Coat: '#0000c8',
  Human: '#c8c800',
};

/** Two persons side by side; the coat (score 0.9) overlaps the face (0.4), a hair (0.3) belongs to nobody. */
export async function twoPeople(): Promise<Parsing> {
  return parsingOf({
    width: 8,
    height: 4,
    labels: LABELS,
    labelRows: ['11000022', '22000022', '33000033', '33000030'],
    personRows: ['11000022', '11100022', '11000022', '11000022'],
    persons: [
      { score: 0.9, rows: ['##......', '###.....', '##......', '##......'] },
      { score: 0.8, rows: ['......##', '......##', '......##', '......##'] },
    ],
    parts: [
      { index: 3, person: 1, score: 0.9, rows: ['........', '##......', '##......', '##......'] },
      { index: 2, person: 1, score: 0.4, rows: ['##......', '##......', '........', '........'] },
      { index: 2, person: 2, score: 0.5, rows: ['......##', '......##', '........', '........'] },
      { index: 1, person: null, score: 0.3, rows: ['....#...', '........', '........', '........'] },
    ],
  });
}
