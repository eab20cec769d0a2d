import assert from 'node:assert/strict';
import { redact, type RedactOptions } from '../../../src/parsing/redact/redact.ts';
import type { Doubtful, Parsing } from '../../../src/parsing/types.ts';
import { parsingOf, pixelsOf, type Rows, type Scene, sourceColor } from '../scene.ts';

const LABELS = ['Background', 'Hair', 'Face', 'Coat', 'Pants', 'Human'];
const BLANK = '........';

/** A scene of 8 x 4 pixels. */
function scene(parts: Scene['parts'], persons: Scene['persons'], labels = LABELS): Promise<Parsing> {
  return parsingOf({ width: 8, height: 4, labels, parts: parts ?? [], persons: persons ?? [] });
}

/** The person in the two columns from `x` on. */
function standing(x: number): string[] {
  return Array.from({ length: 4 }, () => BLANK.slice(0, x) + '##' + BLANK.slice(x + 2));
}

/** One row of two pixels of the person in the columns from `x` on. */
function strip(x: number, y: number): Rows {
  return Array.from({ length: 4 }, (_, row) =>
    row === y ? BLANK.slice(0, x) + '##' + BLANK.slice(x + 2) : BLANK,
  );
}

/** Which pixels a fill in red covers, as rows. */
async function hidden(parsing: Parsing, options: RedactOptions = {}): Promise<string[]> {
  const { image } = await redact(parsing, { method: 'fill', color: '#ff0000', grow: 0, ...options });
  const pixels = await pixelsOf(image);
  return Array.from({ length: parsing.height }, (_, y) =>
    Array.from({ length: parsing.width }, (_unused, x) => {
      const color = pixels.at(x, y).join();
      return color === '255,0,0' ? 'r' : color === sourceColor(x, y).join() ? '.' : '?';
    }).join(''),
  );
}

/** The first person has a face, of the second only a coat was found. */
const two = () =>
  scene(
    [
      { index: 2, person: 1, score: 0.9, rows: strip(0, 0) },
      { index: 3, person: 2, score: 0.9, rows: strip(4, 2) },
    ],
    [
      { score: 0.9, rows: standing(0) },
      { score: 0.8, rows: standing(4) },
    ],
  );

/** Moves all that scores less than 0.5 to the doubtful. */
function doubting(parsing: Parsing): Parsing {
  const split = <T extends { score: number }>(found: readonly T[]) => ({
    sure: found.filter(({ score }) => score >= 0.5),
    not: found.filter(({ score }) => score < 0.5),
  });
  const [persons, parts] = [split(parsing.persons), split(parsing.parts)];
  return {
    ...parsing,
    persons: persons.sure,
    parts: parts.sure,
    doubtful: { persons: persons.not, parts: parts.not },
  };
}

describe('redact, of persons on whom nothing was found', () => {
  it('hides the whole person, and says whom, where nothing is said', async () => {
    const parsing = await two();
    assert.deepEqual(await hidden(parsing), ['rr..rr..', '....rr..', '....rr..', '....rr..']);
    const { persons, uncovered, left, found } = await redact(parsing);
    assert.deepEqual(
      { persons, uncovered, left, found },
      { persons: [1, 2], uncovered: [2], left: [], found: true },
    );
  });

  for (const method of ['blur', 'pixelate', 'fill', 'remove'] as const) {
    it(`does so with ${method}`, async () => {
      assert.equal((await redact(await two(), { method, grow: 0 })).area, 2 + 8);
    });
  }

  it('hides it by "head", too, where the parts do not tell where the head is', async () => {
    assert.deepEqual(await hidden(await two(), { uncovered: 'head' }), await hidden(await two()));
  });

  it('redacts by "drop" as if it were sent, and names the persons', async () => {
    assert.deepEqual(await hidden(await two(), { uncovered: 'drop' }), await hidden(await two()));
    assert.deepEqual((await redact(await two(), { uncovered: 'drop' })).uncovered, [2]);
  });

  it('leaves the person by "pass", and still says so', async () => {
    assert.deepEqual(await hidden(await two(), { uncovered: 'pass' }), [
      'rr......',
      '........',
      '........',
      '........',
    ]);
    const { persons, uncovered } = await redact(await two(), { uncovered: 'pass', grow: 0 });
    assert.deepEqual({ persons, uncovered }, { persons: [1], uncovered: [2] });
  });

  it('looks at the meant persons only', async () => {
    const parsing = await two();
    assert.deepEqual((await redact(parsing, { persons: [1] })).uncovered, []);
    assert.deepEqual((await redact(parsing, { persons: [2] })).uncovered, [2]);
  });

  for (const options of [{ method: 'recolor' }, { inverse: true }, { labels: ['Human'] }] as const) {
    it(`does not apply to ${JSON.stringify(options)}`, async () => {
      const parsing = await two();
      assert.deepEqual((await redact(parsing, options)).uncovered, [], JSON.stringify(options));
    });
  }

  it('looks for a head where parts of the head are chosen beside others', async () => {
    assert.deepEqual((await redact(await two(), { labels: ['Face', 'Coat'] })).uncovered, [2]);
    assert.deepEqual((await redact(await two(), { labels: ['Coat', 'Pants'] })).uncovered, [1]);
  });

  it('takes a part for found that lies in the person, but belongs to another who was found twice', async () => {
    const parsing = await scene(
      [{ index: 2, person: 1, score: 0.9, rows: strip(0, 0) }],
      [
        { score: 0.9, rows: standing(0) },
        { score: 0.6, rows: standing(0) },
      ],
    );
    assert.deepEqual((await redact(parsing)).uncovered, []);
  });

  describe('who stand wholly behind others', () => {
    /** The second person has the mask of the first, whose face it is, and no pixel of the map. */
    const behind = async (): Promise<Parsing> => {
      const parsing = await two();
      const { persons, parts } = parsing;
      return {
        ...parsing,
        persons: [persons[0]!, { ...persons[0]!, id: 2, score: 0.8 }],
        parts: [parts[0]!],
      };
    };

    it('tells them where what was to be hidden of them is hidden', async () => {
      const { persons, uncovered } = await redact(await behind());
      assert.deepEqual({ persons, uncovered }, { persons: [1, 2], uncovered: [] });
      const whole = await redact(await behind(), { labels: ['Human'] });
      assert.deepEqual(whole.persons, [1, 2]);
    });

    it('tells doubtful ones, too', async () => {
      const parsing = await behind();
      const [first, second] = parsing.persons;
      const { persons } = await redact({
        ...parsing,
        persons: [first!],
        doubtful: { persons: [{ ...second!, score: 0.2 }], parts: [] },
      });
      assert.deepEqual(persons, [1, 2]);
    });

    it('hides them where the face in their mask is of somebody who is to be seen', async () => {
      const parsing = await behind();
      const { persons, uncovered } = await redact(parsing, { persons: [2] });
      assert.deepEqual({ persons, uncovered }, { persons: [2], uncovered: [2] });
      assert.deepEqual(await hidden(parsing, { persons: [2] }), Array(4).fill('rr......'));
      assert.deepEqual(await hidden(parsing, { persons: [1] }), [
        'rr......',
        ...Array<string>(3).fill(BLANK),
      ]);
    });

    it('leaves those out of whom nothing was hidden', async () => {
      const { persons, uncovered } = await redact(await behind(), { labels: ['Pants'], uncovered: 'pass' });
      assert.deepEqual({ persons, uncovered }, { persons: [], uncovered: [1, 2] });
    });
  });

  it('takes no trace for a head', async () => {
    const big = Array.from({ length: 20 }, () => '#'.repeat(20));
    const dot = big.map((_, y) => (y === 0 ? '#' : '.') + '.'.repeat(19));
    const parsing = await parsingOf({
      width: 20,
      height: 20,
      labels: LABELS,
      persons: [{ rows: big }],
      parts: [{ index: 1, person: 1, score: 0.9, rows: dot }],
    });
    assert.deepEqual((await redact(parsing)).uncovered, [1]);
  });

  describe('with a least score', () => {
    it('does not count a part below it as found', async () => {
      const parsing = await two();
      parsing.parts[0]!.score = 0.6;
      const { uncovered, left } = await redact(parsing, { minScore: 0.7 });
      assert.deepEqual({ uncovered, left }, { uncovered: [1, 2], left: [] });
    });

    it('leaves persons below it, and says whom', async () => {
      const { uncovered, left } = await redact(await two(), { minScore: 0.85 });
      assert.deepEqual({ uncovered, left }, { uncovered: [], left: [2] });
    });
  });

  describe('with doubtful ones', () => {
    it('hides their parts as it would if they were sure', async () => {
      const parsing = await scene(
        [
          { index: 2, person: 1, score: 0.9, rows: strip(0, 0) },
          { index: 1, person: 1, score: 0.3, rows: strip(0, 1) },
          { index: 2, person: null, score: 0.2, rows: strip(6, 0) },
        ],
        [{ score: 0.9, rows: standing(0) }],
      );
      const expected = ['rr....rr', 'rr......', '........', '........'];
      assert.deepEqual(await hidden(parsing), expected);
      assert.deepEqual(await hidden(doubting(parsing)), expected);
      assert.deepEqual(await hidden(doubting(parsing), { minScore: 0.25 }), [
        'rr......',
        'rr......',
        '........',
        '........',
      ]);
    });

    it('hides a doubtful person whose head was not found', async () => {
      const parsing = doubting(await scene([], [{ score: 0.2, rows: standing(4) }]));
      assert.deepEqual(await hidden(parsing), ['....rr..', '....rr..', '....rr..', '....rr..']);
      const { uncovered, found } = await redact(parsing);
      assert.deepEqual({ uncovered, found }, { uncovered: [1], found: false });
    });

    it('does not take a doubtful part for found', async () => {
      const parsing = doubting(
        await scene(
          [{ index: 2, person: 1, score: 0.4, rows: strip(0, 3) }],
          [{ score: 0.9, rows: standing(0) }],
        ),
      );
      assert.deepEqual((await redact(parsing)).uncovered, [1]);
    });

    it('redacts all where nobody is sure and it shall', async () => {
      const parsing = doubting(await scene([{ index: 2, person: null, score: 0.4, rows: strip(0, 0) }], []));
      assert.deepEqual(
        await hidden(parsing, { nobody: 'all' }),
        Array.from({ length: 4 }, () => 'rrrrrrrr'),
      );
    });

    it('keeps only what is sure where everything else is redacted', async () => {
      const parsing = doubting(
        await scene(
          [
            { index: 3, person: null, score: 0.9, rows: strip(0, 0) },
            { index: 3, person: null, score: 0.4, rows: strip(4, 0) },
          ],
          [],
        ),
      );
      assert.equal((await hidden(parsing, { labels: ['Coat'], inverse: true }))[0], '..rrrrrr');
    });

    it('refuses a parsing that lost them, for they would be shown, and broken ones', async () => {
      const parsing = await two();
      const { doubtful: _doubtful, ...without } = parsing;
      await assert.rejects(redact(without as Parsing), {
        code: 'M2FP_NO_PARSING',
        message: /lost its "doubtful"/,
      });
      const broken = { ...parsing, doubtful: { persons: [null], parts: [] } as unknown as Doubtful };
      await assert.rejects(redact(broken), { code: 'M2FP_NO_PARSING', message: /doubtful\.persons\[0\]/ });
    });
  });

  describe('of a model that tells no persons', () => {
    it('takes all parts for one person', async () => {
      const parsing = await scene(
        [
          { index: 0, person: null, score: 1, rows: strip(6, 0) },
          { index: 3, person: null, score: 0.9, rows: strip(0, 2) },
        ],
        [],
        LABELS.slice(0, -1),
      );
      assert.deepEqual(await hidden(parsing), ['........', '........', 'rr......', '........']);
      assert.deepEqual((await redact(parsing)).uncovered, [null]);
    });

    it('is content where a chosen part was found', async () => {
      const parts = [
        { index: 2, person: null, score: 0.9, rows: strip(0, 0) },
        { index: 3, person: null, score: 0.9, rows: strip(0, 2) },
      ];
      assert.deepEqual((await redact(await scene(parts, [], LABELS.slice(0, -1)))).uncovered, []);
    });
  });

  it('hides whole persons of a model that knows no heads, where no labels are named', async () => {
    const labels = ['Background', 'Torso', 'Human'];
    const parsing = await scene(
      [{ index: 1, person: 1, score: 0.9, rows: strip(0, 2) }],
      [{ score: 0.9, rows: standing(0) }],
      labels,
    );
    assert.deepEqual(await hidden(parsing), ['rr......', 'rr......', 'rr......', 'rr......']);
  });

  describe('by "head"', () => {
    /** A body of 20 x 80 pixels in a picture of 60 x 100, whose upper and lower halves are of the two labels. */
    async function body(upper: number, lower: number, score = 0.9): Promise<Parsing> {
      const rows = (from: number, end: number): string[] =>
        Array.from({ length: 100 }, (_, y) =>
          y >= from && y < end ? '.'.repeat(20) + '#'.repeat(20) + '.'.repeat(20) : '.'.repeat(60),
        );
      return parsingOf({
        width: 60,
        height: 100,
        labels: LABELS,
        persons: [{ score, rows: rows(10, 90) }],
        parts: [
          { index: upper, person: 1, score: 0.9, rows: rows(30, 50) },
          { index: lower, person: 1, score: 0.9, rows: rows(55, 90) },
        ],
      });
    }
    const areaOf = async (parsing: Parsing, options: RedactOptions = {}): Promise<number> =>
      (await redact(parsing, { uncovered: 'head', grow: 0, ...options })).area;

    it('hides the upper part of somebody who stands for sure', async () => {
      // 40 % of the height and 3 pixels more, on either side of the width, too.
      assert.equal(await areaOf(await body(3, 4)), (20 + 6) * (32 + 3));
    });

    it('hides all of somebody upside down, of a doubtful one, and where other parts are chosen, too', async () => {
      const whole = (20 + 8) * (80 + 8);
      assert.equal(await areaOf(await body(4, 3)), whole);
      assert.equal(await areaOf(await body(3, 4, 0.4)), whole);
      const parsing = await body(3, 3);
      assert.equal(await areaOf(parsing, { labels: ['Face', 'Pants'] }), whole);
    });
  });
});
