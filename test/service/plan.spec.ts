/** What is said of an answer before the model runs: the format, or that there can be none. */
import assert from 'node:assert/strict';
import type { AnswerOptions } from '../../src/service/answer-options.ts';
import { answerOf } from '../../src/service/answer.ts';
import { planAnswer } from '../../src/service/plan.ts';
import { exampleParsing } from '../nodes/support/fake-engine.ts';

/** What a picture is not to be encoded as, and how the client is told why. */
const RESTRICTED: [options: AnswerOptions, formats: string[], reason: RegExp][] = [
  [{ view: 'labels' }, ['png'], /where "view" is "labels"/],
  [{ view: 'redacted', method: 'remove' }, ['png', 'webp'], /where "method" is "remove"/],
  [{ view: 'crop', cutout: true }, ['png', 'webp'], /where "cutout" is true/],
  ...(['overlay', 'map', 'persons'] as const).map((view): [AnswerOptions, string[], RegExp] => [
    { view, background: 'remove' },
    ['png', 'webp'],
    /where "background" is "remove"/,
  ]),
  [{ view: 'redacted' }, ['png', 'webp', 'jpeg'], /none/],
  [{ view: 'crop' }, ['png', 'webp', 'jpeg'], /none/],
  [{ view: 'overlay', method: 'remove', cutout: true }, ['png', 'webp', 'jpeg'], /none/],
  [{ view: 'crop', background: 'remove', method: 'remove' }, ['png', 'webp', 'jpeg'], /none/],
];

describe('the format of a picture that cannot have all', () => {
  for (const [options, formats, reason] of RESTRICTED) {
    for (const format of ['png', 'webp', 'jpeg'] as const) {
      const what = `${JSON.stringify(options)} as ${format}`;
      if (formats.includes(format)) {
        it(`is the one that is wanted: ${what}`, async () => {
          assert.equal(planAnswer({ options: { ...options, format } }).format, format);
          assert.equal(planAnswer({ options, accept: `image/${format}` }).format, format);
          const parsing = await exampleParsing();
          const { headers } = await answerOf(parsing, { options: { ...options, format } });
          assert.equal(headers['content-type'], `image/${format}`);
        });
        continue;
      }
      it(`is refused by name, or by what there is: ${what}`, () => {
        assert.throws(() => planAnswer({ options: { ...options, format } }), {
          code: 'M2FP_BAD_OPTION',
          message: new RegExp(`"format" is "${format}"; allowed: ${formats.join(' or ')} ${reason.source}`),
        });
        assert.throws(
          () => planAnswer({ options, accept: `image/${format}` }),
          ({ code, message }: Error & { code?: string }) =>
            code === 'M2FP_NOT_ACCEPTABLE' &&
            reason.test(message) &&
            message.includes(`no image/${format}`) &&
            !message.slice(message.indexOf('There are')).includes(format),
        );
      });
      it(`is another one that is accepted, too: ${what}`, () => {
        const accept = `image/${format}, image/png;q=0.5`;
        assert.equal(planAnswer({ options, accept }).format, 'png');
        assert.equal(planAnswer({ options, accept: `image/${format}, */*;q=0.1` }).format, 'json');
        assert.equal(planAnswer({ options, accept: 'image/*' }).format, 'png');
      });
      it(`is the nearest where the form has it: ${what}`, () => {
        assert.equal(planAnswer({ options, defaults: { format } }).format, 'png');
      });
    }
  }

  it('is JSON, whatever the picture beside it is', () => {
    for (const format of ['json', 'coco', 'multipart'] as const)
      assert.equal(planAnswer({ options: { view: 'labels', picture: true, format } }).format, format);
  });

  it('is what the client names, whatever it accepts', () => {
    assert.equal(planAnswer({ accept: 'text/html', options: { format: 'coco' } }).format, 'coco');
  });
});

describe('a choice of labels', () => {
  it('is of one at least', () => {
    for (const labels of [[], 'none', ',']) {
      assert.throws(() => planAnswer({ options: { labels } }), {
        code: 'M2FP_BAD_OPTION',
        message:
          `Option "labels" is ${JSON.stringify(labels)}; allowed: names of labels, with commas between them; ` +
          'without it: all.',
      });
    }
  });
});
