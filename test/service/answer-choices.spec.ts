/** What `persons` and `labels` choose, in every answer that there is; and options that are wrong, which are named. */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { clientRules } from '../../nodes/m2fp-request/client-rules.ts';
import { M2fpError } from '../../src/errors.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { answerOf } from '../../src/service/answer.ts';
import { ANSWER_OPTIONS, type AnswerOptions, FORMATS, VIEWS } from '../../src/service/answer-options.ts';
import { readClientOptions } from '../../src/service/client-options.ts';
import { problemOf } from '../../src/service/problem.ts';
import { exampleParsing } from '../nodes/support/fake-engine.ts';

/** Two persons, what is perhaps a third one, doubtful parts of both kinds of persons, and a part of nobody. */
async function crowd(): Promise<Parsing> {
  const parsing = await exampleParsing();
  const [, person] = parsing.persons;
  const [hair, coat] = parsing.parts;
  parsing.parts.push({ ...coat!, id: 5, person: null });
  parsing.doubtful = {
    persons: [{ ...person!, id: 3, score: 0.2 }],
    parts: [
      { ...coat!, id: 6, person: 1, score: 0.2 },
      { ...hair!, id: 7, person: 2, score: 0.2 },
      { ...hair!, id: 8, person: 3, score: 0.2 },
    ],
  };
  return parsing;
}

const fails = (error: unknown): M2fpError => {
  assert.ok(error instanceof M2fpError, String(error));
  return error;
};

describe('the persons and the labels of an answer', () => {
  const PERSONS: [persons: number[] | undefined, isThere: boolean][] = [
    [undefined, true],
    [[1], true],
    [[2], true],
    [[2, 1], true],
    [[1, 9], false],
    [[9], false],
  ];
  const LABELS: [labels: string[] | undefined, isThere: boolean][] = [
    [undefined, true],
    [['Hair'], true],
    [['Coat', 'Human'], true],
    [['Nose'], false],
  ];
  for (const format of FORMATS) {
    for (const view of VIEWS) {
      // Label numbers are a PNG.
      if (view === 'labels' && (format === 'webp' || format === 'jpeg')) continue;
      it(`are those that were chosen, or refused by name: ${view} as ${format}`, async () => {
        const parsing = await crowd();
        const nobody = { ...(await exampleParsing()), persons: [], parts: [] };
        nobody.personMap = Buffer.alloc(32);
        nobody.labelMap = Buffer.alloc(32);
        for (const [persons, hasPersons] of PERSONS) {
          for (const [labels, hasLabels] of LABELS) {
            for (const more of [
              {},
              { masks: 'polygon', picture: true, names: true, scores: true, legend: 'beside' },
            ]) {
              const options = { format, view, persons, labels, ...more } as AnswerOptions;
              const what = JSON.stringify(options);
              const answer = await answerOf(parsing, { options }).catch(fails);
              if (hasPersons && hasLabels) {
                if (answer instanceof M2fpError) assert.fail(`${what}: ${answer.message}`);
              } else {
                assert.ok(answer instanceof M2fpError && answer.code === 'M2FP_BAD_OPTION', what);
                const name = hasLabels ? 'persons' : 'labels';
                assert.match(
                  problemOf(answer).detail,
                  new RegExp(`"${name}".*; allowed: .*${hasLabels ? '1, 2' : 'Coat'}`),
                );
              }
              const empty = await answerOf(nobody, { options }).catch(fails);
              const expected = persons || !hasLabels ? 'M2FP_BAD_OPTION' : undefined;
              if (empty instanceof M2fpError && empty.code !== 'M2FP_NOTHING_FOUND') {
                assert.equal(empty.code, expected, `${what}: ${empty.message}`);
              } else assert.equal(expected, undefined, what);
            }
          }
        }
      });
    }
  }

  it('are all that a picture shows', async () => {
    const parsing = await crowd();
    const shown = async (options: AnswerOptions): Promise<string[]> => {
      const { body } = await answerOf(parsing, {
        options: { format: 'png', background: 'remove', ...options },
      });
      const { data, info } = await sharp(body).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
      return Array.from({ length: info.height }, (_, y) =>
        Array.from({ length: info.width }, (_unused, x) =>
          data[4 * (y * info.width + x) + 3]! > 0 ? '#' : '.',
        ).join(''),
      );
    };
    const second = Array.from({ length: 4 }, () => '.....###');
    for (const view of ['overlay', 'map', 'persons'] as const) {
      assert.deepEqual(await shown({ view, persons: [2] }), second, view);
    }
    assert.deepEqual(await shown({ view: 'map', persons: [2], labels: ['Coat'] }), [
      '........',
      '........',
      ...second.slice(2),
    ]);
  });

  it('may be somebody of whom it is not sure, where that hides more', async () => {
    const options = { format: 'png', view: 'redacted', persons: [3] } as const;
    assert.equal((await answerOf(await crowd(), { options })).statusCode, 200);
  });
});

describe('an option with a wrong value', () => {
  const RULES = clientRules('scoreThreshold, flip');
  const REST = [
    'persons=0',
    'persons=256',
    'persons=1.5',
    'persons=,',
    'quality=0',
    'contours=1.5',
    'padding=-1',
  ];
  const QUERIES = [...Object.keys(ANSWER_OPTIONS), 'scoreThreshold', 'flip'].flatMap((name) =>
    ['x', 'node', 'msg.payload', '/etc/passwd', '"', 'x'.repeat(5000)].map(
      (value) => `${name}=${encodeURIComponent(value)}`,
    ),
  );
  for (const query of [...QUERIES, ...REST]) {
    it(`is named to the client: ${query.slice(0, 40)}`, async () => {
      const parsing = await crowd();
      const view = /^(?:method|cells|color|grow)/.test(query)
        ? 'redacted'
        : query.startsWith('padding')
          ? 'crop'
          : 'overlay';
      const answer = async () => {
        const { response } = readClientOptions(
          [...new URLSearchParams({ view, format: 'png' }), ...new URLSearchParams(query)].filter(
            ([name], at, all) => all.findLastIndex(([other]) => other === name) === at,
          ),
          {},
          RULES,
        );
        return answerOf(parsing, { options: response });
      };
      const error = await answer().then(() => assert.fail('it was taken'), fails);
      assert.equal(error.code, 'M2FP_BAD_OPTION');
      const { detail, status } = problemOf(error);
      assert.equal(status, 400);
      assert.match(detail, new RegExp(`"${query.split('=')[0]!}"`));
      assert.ok(detail.length < 1000);
    });
  }

  it('is named where it is one that there is not, whatever it is called', () => {
    for (const name of ['node', 'msg.x', '/etc/passwd', 'settings']) {
      assert.throws(
        () => readClientOptions([[name, '1']], {}, RULES),
        (error) => problemOf(error as M2fpError).detail.includes(`"${name}"`),
      );
    }
  });
});
