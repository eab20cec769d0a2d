import { deepEqual } from 'node:assert/strict';
import { ParsingJudge } from '../../bench/accuracy/parsing-precision.ts';
import type { FoundPerson } from '../../bench/accuracy/prediction.ts';
import { close, person, prediction, truth } from './scenes-by-hand.ts';

function figures(categories: string, persons: string, found: FoundPerson[]) {
  const judge = new ParsingJudge(4);
  const scene = truth(categories, persons);
  judge.add(scene, prediction(scene.width, { persons: found }));
  return judge.figures();
}

describe('ParsingJudge', () => {
  it('gives 1 to a perfect result', () => {
    const result = figures('1122 0133', '1111 0222', [person(0.9, '1122 0000'), person(0.8, '0000 0133')]);
    close(result.apP50, 1);
    close(result.apPVol, 1);
    close(result.pcp50, 1);
  });

  it('compares the mean IoU of the labels, background among them, with each threshold', () => {
    // Of 20 pixels: background 14/17, label 1: 3/4, label 2: 0; the mean is 0.52.
    const rest = '0000 0000 0000 00';
    const above = figures(`1111 22 ${rest}`, `1111 11 ${rest}`, [person(0.9, `1110 00 ${rest}`)]);
    close(above.apP50, 1);
    close(above.apPVol, 5 / 9);
    const below = figures('1111 2000 00', '1111 1000 00', [person(0.9, '1110 0000 00')]);
    // Of 10: 5/7, 3/4 and 0; the mean is 0.49.
    close(below.apPVol, 4 / 9);
    close(below.apP50, 0);
  });

  it('counts parts with an IoU above 0.5 of the persons met', () => {
    // Person 1 met: label 1 (IoU 1) correct, label 2 (1/2) not; person 2 missed.
    const result = figures('1112 2033 3000 0000', '1111 1022 2000 0000', [
      person(0.9, '1112 0000 0000 0000'),
    ]);
    close(result.apP50, 1 / 2);
    close(result.pcp50, (1 / 2 + 0) / 2);
  });

  it('takes a second result of the same person for wrong', () => {
    const twice = [person(0.9, '1122 0000'), person(0.8, '1122 0000')];
    close(figures('1122 0000', '1111 0000', twice).apP50, 1);
    // The duplicate comes before the second person: precision 2/3 there.
    const found = [...twice, person(0.7, '0000 0133')];
    close(figures('1122 0133', '1111 0222', found).apP50, (1 + 2 / 3) / 2);
  });

  it('judges the highest score first, in whatever order the persons come', () => {
    const found = [person(0.3, '1122 0000'), person(0.9, '1122 0000')];
    close(figures('1122 0000', '1111 0000', found).apP50, 1);
  });

  it('knows no figures without people, and gives 0 where none was found', () => {
    const nobody = figures('0000', '0000', [person(0.9, '1100')]);
    deepEqual(nobody, { apP50: null, apPVol: null, pcp50: null, people: 0 });
    deepEqual(figures('1100', '1100', []), { apP50: 0, apPVol: 0, pcp50: 0, people: 1 });
  });

  it('compares persons who fill the picture', () => {
    close(figures('1122', '1111', [person(0.9, '1122')]).apP50, 1);
  });
});
