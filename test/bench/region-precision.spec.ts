import { deepEqual } from 'node:assert/strict';
import type { FoundPart } from '../../bench/accuracy/prediction.ts';
import { RegionJudge } from '../../bench/accuracy/region-precision.ts';
import { close, part, prediction, truth } from './scenes-by-hand.ts';

function figures(categories: string, persons: string, parts: FoundPart[]) {
  const judge = new RegionJudge(4);
  const scene = truth(categories, persons);
  judge.add(scene, prediction(scene.width, { parts }));
  return judge.figures();
}

describe('RegionJudge', () => {
  it('gives 1 to a perfect result', () => {
    const parts = [part(1, 0.9, '1100 0000'), part(1, 0.8, '0000 1100'), part(2, 0.7, '0011 0000')];
    deepEqual(figures('1122 1100', '1111 2200', parts), { apR50: 1, apR: 1, apRVol: 1 });
  });

  it('compares the IoU with each threshold', () => {
    // IoU 3/4: right at 0.1 to 0.7.
    const result = figures('1111 0000', '1111 0000', [part(1, 0.9, '1110 0000')]);
    close(result.apR50, 1);
    close(result.apR, 3 / 5);
    close(result.apRVol, 7 / 9);
    // An IoU of 0.5 is not above 0.5.
    close(figures('1111', '1111', [part(1, 0.9, '1100')]).apR50, 0);
  });

  it('takes the mean over the labels that the truth has', () => {
    // Label 1 found, label 2 not, label 3 is nowhere in the truth.
    const parts = [part(1, 0.9, '1100'), part(3, 0.9, '0011')];
    close(figures('1122', '1111', parts).apR50, 1 / 2);
  });

  it('keeps the persons apart', () => {
    // One region over the same label of two persons is neither.
    close(figures('1111', '1122', [part(1, 0.9, '1111')]).apR50, 0);
  });

  it('takes duplicates for wrong', () => {
    const twice = [part(1, 0.9, '1100 0000'), part(1, 0.8, '1100 0000')];
    close(figures('1100 1100', '1100 2200', twice).apR50, 1 / 2);
    close(figures('1100 1100', '1100 2200', [...twice, part(1, 0.7, '0000 1100')]).apR50, (1 + 2 / 3) / 2);
  });

  it('judges the highest score first, in whatever order the parts come', () => {
    const twice = [part(1, 0.3, '1100'), part(1, 0.9, '1100')];
    close(figures('1100', '1100', twice).apR50, 1);
  });

  it('judges the label too', () => {
    // Label 1 is missed; of the two regions of label 2 the surer one is wrong.
    close(figures('1122', '1111', [part(2, 0.9, '1100'), part(2, 0.8, '0011')]).apR50, (0 + 1 / 2) / 2);
  });

  it('knows no figures without people, and gives 0 where nothing was found', () => {
    deepEqual(figures('0000', '0000', [part(1, 0.9, '1100')]), { apR50: null, apR: null, apRVol: null });
    deepEqual(figures('1100', '1100', []), { apR50: 0, apR: 0, apRVol: 0 });
  });

  it('adds up over pictures', () => {
    const judge = new RegionJudge(2);
    judge.add(truth('1100', '1100'), prediction(4, { parts: [part(1, 0.5, '1100')] }));
    judge.add(truth('1100', '1100'), prediction(4, { parts: [part(1, 0.9, '0011')] }));
    close(judge.figures().apR50, 1 / 4);
  });
});
