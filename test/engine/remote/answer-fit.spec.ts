/** An answer that is a parsing, but not one of what was asked. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AskedModel, misfit } from '../../../src/engine/remote/client/answer-fit.ts';
import { packAnswer, unpackAnswer } from '../../../src/engine/remote/redis/codec.ts';
import type { ChildParsing } from '../../../src/engine/protocol.ts';
import { splitInstances } from '../../../src/parsing/postprocess/instances.ts';
import type { ParseOptions, Part, Person } from '../../../src/parsing/types.ts';
import { NAMES, SIZE, small } from '../support/codec.ts';
import { networkInput } from '../support/found.ts';

const MODEL: AskedModel = {
  kind: 'multi',
  labels: NAMES,
  humanIndex: 3,
  input: { kind: 'short-side', shortSide: 64, longSide: 128 },
};
const SINGLE: AskedModel = { ...MODEL, kind: 'single', humanIndex: null };
const image = Buffer.from('a picture');

const fault = (parsing: ChildParsing, options: ParseOptions = {}, model = MODEL): string | null =>
  misfit(parsing, { image, options }, model);

/** That of a model of single persons. */
function ofSingle(): ChildParsing {
  const parsing = small();
  return { ...parsing, persons: [], parts: parsing.parts.map((part) => ({ ...part, person: null })) };
}

/** Moves what was found to `doubtful`, with this score. */
function doubted(list: 'persons' | 'parts', score: number): ChildParsing {
  const parsing = small();
  const [found] = parsing[list].splice(0);
  parsing.doubtful[list].push({ ...found!, score, ...(list === 'parts' && { person: null }) } as Person &
    Part);
  if (list === 'persons') parsing.parts[0]!.person = null;
  return parsing;
}

describe('an answer of a worker', () => {
  for (const [score, scoreThreshold, what] of [
    [0.5, 0.5, null],
    [0.5, 0.1, null],
    [0.5, undefined, null],
    [0.2, 0.5, /a score of 0.2, and at least 0.5/],
    [0.5 - Number.EPSILON, 0.5, /at least 0.5/],
    [0.05, undefined, /at least 0.1/],
  ] as const) {
    for (const list of ['persons', 'parts'] as const) {
      it(`${what ? 'may not have' : 'may have'} ${list} of ${score} where ${scoreThreshold ?? 'nothing'} was asked`, () => {
        const parsing = small();
        parsing[list][0]!.score = score;
        const told = fault(parsing, scoreThreshold === undefined ? {} : { scoreThreshold });
        if (what === null) assert.equal(told, null);
        else assert.match(told!, what);
      });
    }
  }

  for (const [score, scoreThreshold, what] of [
    [0.3, 0.5, null],
    [0.1, 0.5, null],
    [0.99, 0.5, /doubtful\.\w+ holds a score of 0.99, which is not below 0.5/],
    [0.5, 0.5, /not below 0.5/],
    [0.05, 0.5, /the least there is/],
    [0.3, undefined, /not below 0.1/],
  ] as const) {
    for (const list of ['persons', 'parts'] as const) {
      it(`${what ? 'may not have' : 'may have'} doubtful ${list} of ${score} where ${scoreThreshold ?? 'nothing'} was asked`, () => {
        const told = fault(doubted(list, score), scoreThreshold === undefined ? {} : { scoreThreshold });
        if (what === null) assert.equal(told, null);
        else assert.match(told!, what);
      });
    }
  }

  it('may not have a label map with whole persons in it', () => {
    const parsing = small();
    parsing.labelMap[0] = MODEL.humanIndex!;
    assert.match(fault(parsing)!, /its label map holds ".+", which is no part/);
  });

  it('may not have a person map without the person that it is surest of', () => {
    const parsing = small();
    parsing.personMap.fill(0);
    assert.match(fault(parsing)!, /its person map has nothing of the person/);
  });

  it('may not have a blank label map beside parts, where the map goes by them', () => {
    const parsing = small();
    parsing.labelMap.fill(0);
    assert.match(fault(parsing, { scoreThreshold: 0.5 })!, /its label map is blank/);
    assert.equal(fault(parsing), null);
    assert.equal(fault(parsing, { scoreThreshold: 0.5, flip: true }), null);
  });

  it('is taken whatever scores a worker splits by whatever minimum, and after the way through Redis', async () => {
    const near = fc.double({ min: 0.1, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(near, near, fc.boolean(), async (score, other, equal) => {
        const scoreThreshold = equal ? score : other;
        const split = splitInstances([{ index: 1, score }], 3, scoreThreshold);
        const parsing = split.certain.parts.length > 0 ? small() : doubted('parts', score);
        parsing.persons = [];
        for (const part of [...parsing.parts, ...parsing.doubtful.parts]) {
          part.person = null;
          part.score = score;
        }
        parsing.personMap.fill(0);
        const answer = await unpackAnswer(await packAnswer({ parsing }), SIZE);
        assert.ok('parsing' in answer, 'error' in answer ? answer.error.message : '');
        assert.equal(fault(answer.parsing, { scoreThreshold }), null);
      }),
      { numRuns: 200 },
    );
  });

  it('has the labels of the model', () => {
    assert.match(fault({ ...small(), labels: ['x', 'x', 'x', 'x'] })!, /labels are not those of the model/);
    assert.match(fault({ ...small(), labels: NAMES.slice(0, 3) })!, /labels are not those of the model/);
  });

  it('has no background and no whole person among its parts', () => {
    for (const index of [0, 3]) {
      const parsing = small();
      Object.assign(parsing.parts[0]!, { index, label: NAMES[index] });
      assert.match(fault(parsing)!, new RegExp(`"${NAMES[index]}" is no part`));
    }
  });

  it('has no persons, and one part for each label, of a model of single persons', () => {
    assert.equal(fault(ofSingle(), {}, SINGLE), null);
    assert.match(fault(small(), {}, SINGLE)!, /persons/);
    const parsing = ofSingle();
    parsing.parts.push({ ...parsing.parts[0]!, id: 2 });
    assert.match(fault(parsing, {}, SINGLE)!, /two parts/);
    const low = ofSingle();
    low.parts[0]!.score = 0.01;
    assert.equal(fault(low, {}, SINGLE), null, 'ModelScope holds all');
    assert.match(fault(low, { scoreThreshold: 0.1 }, SINGLE)!, /at least 0.1/);
  });

  it('comes from a network input of the size that was asked for', () => {
    const seen = (width: number, height: number): ChildParsing => ({
      ...small(),
      network: { width, height },
    });
    assert.equal(fault(seen(128, 64)), null);
    assert.match(fault(seen(64, 32))!, /64 x 32 pixels, and 128 x 64/);
    assert.equal(fault(seen(64, 32), { shortSide: 32 }), null);
    const canvas: AskedModel = { ...MODEL, input: { kind: 'canvas', width: 8, height: 8, pad: 0 } };
    assert.equal(fault(seen(8, 8), {}, canvas), null);
    const crop = { ...ofSingle(), network: { ...SIZE } };
    assert.equal(fault(crop, {}, { ...canvas, kind: 'single', humanIndex: null }), null);
    const input = networkInput();
    const { width, height } = input;
    assert.equal(misfit(seen(width, height), { image: input, options: {} }, MODEL), null);
    assert.match(misfit(seen(width, height + 1), { image: input, options: {} }, MODEL)!, /were asked for/);
  });
});
