import { deepEqual, equal } from 'node:assert/strict';
import { PeopleJudge } from '../../bench/accuracy/people.ts';
import { close, part, person, prediction, truth } from './scenes-by-hand.ts';

/** A row of blocks of 32 pixels, one digit a block: people and parts have a least size. */
const wide = (text: string) => text.replaceAll(' ', '').replaceAll(/\d/g, (digit) => digit.repeat(32));
const body = (score: number, text: string) => person(score, wide(text));
const piece = (index: number, score: number, text: string, owner: number | null) =>
  part(index, score, wide(text), owner);

function figures(
  categories: string,
  persons: string,
  found: Parameters<typeof prediction>[1],
): ReturnType<PeopleJudge['figures']> {
  const judge = new PeopleJudge();
  const scene = truth(wide(categories), wide(persons));
  judge.add(scene, prediction(scene.width, found));
  return judge.figures();
}

describe('PeopleJudge', () => {
  it('takes an IoU of 0.5 for right and a duplicate for wrong', () => {
    const half = { persons: [body(0.9, '1100 0000')] };
    close(figures('1111 0000', '1111 0000', half).personAp50, 1);
    close(figures('1111 1000', '1111 1000', half).personAp50, 0);
    const twice = { persons: [body(0.9, '1111 0000'), body(0.8, '1111 0000'), body(0.7, '0000 1111')] };
    close(figures('1111 1111', '1111 2222', twice).personAp50, (1 + 2 / 3) / 2);
  });

  it('judges persons in descending order of score', () => {
    const found = { persons: [body(0.5, '1111 0000'), body(0.9, '1111 0000')] };
    close(figures('1111 0000', '1111 0000', found).personAp50, 1);
  });

  it('leaves people of less than 64 pixels out', () => {
    equal(figures('1000', '1000', {}).people, 0);
    equal(figures('1100', '1100', {}).people, 1);
  });

  it('leaves parts of less than 32 pixels out', () => {
    const linkedParts = (pixels: number) => {
      const pair = '2'.repeat(pixels) + '1'.repeat(96 - pixels);
      const judge = new PeopleJudge();
      const parts = [part(2, 0.9, '1'.repeat(pixels) + '0'.repeat(96 - pixels), 0)];
      judge.add(truth(pair, '1'.repeat(96)), prediction(96, { persons: [person(0.9, pair)], parts }));
      return judge.figures().linkedParts;
    };
    equal(linkedParts(31), 0);
    equal(linkedParts(32), 1);
  });

  it('asks of each part that was found whether it is linked to the right person', () => {
    const persons = [body(0.9, '1111 0000'), body(0.8, '0000 1111')];
    const parts = [
      piece(1, 0.9, '1100 0000', 0),
      piece(2, 0.9, '0011 0000', 1),
      piece(1, 0.8, '0000 1100', null),
      piece(2, 0.8, '0000 0011', 1),
    ];
    const result = figures('1122 1122', '1111 2222', { persons, parts });
    equal(result.linkedParts, 4);
    close(result.link, 2 / 4);
    close(result.linkByMask, 1);
  });

  it('judges no part that was not found and none of a person who was not found', () => {
    const persons = [body(0.9, '1111 0000')];
    const parts = [piece(1, 0.9, '1100 0000', 0), piece(2, 0.9, '0000 0011', 0)];
    const result = figures('1122 1122', '1111 2222', { persons, parts });
    equal(result.linkedParts, 1);
    close(result.link, 1);
  });

  it('weighs the share inside a mask with the score', () => {
    // Both hold the whole part; the surer one is the other person.
    const persons = [body(0.2, '1111 0000 0000'), body(0.9, '1111 1111 1111')];
    const parts = [piece(1, 0.9, '1100 0000 0000', 0)];
    const result = figures('1122 1122 1122', '1111 2222 2222', { persons, parts });
    close(result.link, 1);
    close(result.linkByMask, 0);
  });

  it('knows no figures without people, and gives 0 where nothing was found', () => {
    const empty = { link: null, linkByMask: null, linkedParts: 0 };
    deepEqual(figures('0000', '0000', { persons: [body(0.9, '1100')] }), {
      personAp50: null,
      people: 0,
      ...empty,
    });
    deepEqual(figures('1122', '1111', {}), { personAp50: 0, people: 1, ...empty });
  });
});
