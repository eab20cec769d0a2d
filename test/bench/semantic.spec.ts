import { deepEqual, equal } from 'node:assert/strict';
import { SemanticJudge } from '../../bench/accuracy/semantic.ts';
import { close, part, prediction, truth } from './scenes-by-hand.ts';

describe('SemanticJudge', () => {
  it('divides the pixels in common by those in either, over all pictures', () => {
    const judge = new SemanticJudge(4);
    judge.add(truth('1122 0000', '1111 0000'), prediction(8, { parts: [part(1, 0.9, '1110 0000')] }));
    judge.add(truth('0000', '0000'), prediction(4, { parts: [part(1, 0.9, '1000')] }));
    const { classes, miou, foregroundIou } = judge.figures();
    // Label 1: 2 in common of 2 + 1 + 1; label 2: none of 2; background: 4 + 3 of 4 + 4 + 1.
    deepEqual(classes, [7 / 9, 2 / 4, 0, null]);
    close(miou, (7 / 9 + 2 / 4 + 0) / 3);
    close(foregroundIou, 3 / 5);
  });

  it('paints the surest part on top', () => {
    const judge = new SemanticJudge(3);
    const parts = [part(1, 0.9, '11'), part(2, 0.3, '11')];
    judge.add(truth('11', '11'), prediction(2, { parts }));
    deepEqual(judge.figures().classes, [null, 1, null]);
  });

  it('knows no foreground IoU where nobody is and nothing was found', () => {
    const judge = new SemanticJudge(3);
    judge.add(truth('000', '000'), prediction(3, {}));
    const { miou, foregroundIou } = judge.figures();
    equal(foregroundIou, null);
    close(miou, 1);
  });
});
