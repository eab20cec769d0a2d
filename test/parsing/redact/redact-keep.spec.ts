/** Keeping a choice of persons, and what is laid over the others. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import { M2fpError } from '../../../src/errors.ts';
import { decodeRle } from '../../../src/parsing/masks/rle.ts';
import { boxesAsCsv } from '../../../src/parsing/redact/hidden-boxes.ts';
import { withZones } from '../../../src/parsing/redact/zones-in-state.ts';
import { SYMBOLS } from '../../../src/parsing/redact/overlay.ts';
import { redact, type RedactOptions } from '../../../src/parsing/redact/redact.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { parsingOf, pixelsOf, type Rows, sourceColor } from '../scene.ts';

const LABELS = ['Background', 'Face', 'Coat', 'Human'];
const [WIDTH, HEIGHT] = [24, 12];

type Place = { x: number; y: number; width: number; height: number };

function rows({ x, y, width, height }: Place): Rows {
  return Array.from({ length: HEIGHT }, (_, row) =>
    Array.from({ length: WIDTH }, (_unused, column) =>
      row >= y && row < y + height && column >= x && column < x + width ? '#' : '.',
    ).join(''),
  );
}

/** Persons of a coat with a face above it; the maps have who comes last on top. */
async function crowd(places: readonly Place[]): Promise<Parsing> {
  const [labelMap, personMap] = [Buffer.alloc(WIDTH * HEIGHT), Buffer.alloc(WIDTH * HEIGHT)];
  const split = places.map((place) => {
    const height = Math.max(1, Math.floor(place.height / 3));
    return {
      face: { ...place, height },
      coat: { ...place, y: place.y + height, height: place.height - height },
    };
  });
  const paint = (map: Buffer, place: Place, value: number): void => {
    for (const [y, row] of rows(place).entries())
      for (const [x, char] of Array.from(row).entries()) if (char === '#') map[y * WIDTH + x] = value;
  };
  for (const [i, { face, coat }] of split.entries()) {
    paint(personMap, places[i]!, i + 1);
    paint(labelMap, face, 1);
    paint(labelMap, coat, 2);
  }
  const parsing = await parsingOf({
    labels: LABELS,
    width: WIDTH,
    height: HEIGHT,
    persons: places.map((place) => ({ score: 0.9, rows: rows(place) })),
    parts: split.flatMap(({ face, coat }, i) => [
      { index: 1, person: i + 1, score: 0.9, rows: rows(face) },
      ...(coat.height > 0 ? [{ index: 2, person: i + 1, score: 0.9, rows: rows(coat) }] : []),
    ]),
  });
  return { ...parsing, labelMap, personMap };
}

/** Which pixels are as in the source. */
async function untouched(parsing: Parsing, options: RedactOptions): Promise<boolean[]> {
  const { image } = await redact(parsing, options);
  const pixels = await pixelsOf(image);
  return Array.from(
    { length: WIDTH * HEIGHT },
    (_, p) =>
      pixels
        .at(p % WIDTH, Math.floor(p / WIDTH))
        .slice(0, 3)
        .join() === sourceColor(p % WIDTH, Math.floor(p / WIDTH)).join(),
  );
}

const FILL = { method: 'fill', color: [255, 0, 1], grow: 0 } as const satisfies RedactOptions;
const WHOLE = { ...FILL, labels: ['Face', 'Coat', 'Human'] };
const TWO = [
  { x: 1, y: 1, width: 6, height: 9 },
  { x: 12, y: 1, width: 6, height: 9 },
];

describe('keeping a choice of persons', () => {
  const kept = async (options: RedactOptions, parsing?: Parsing): Promise<number[]> =>
    (await redact(parsing ?? (await crowd(TWO)), { ...WHOLE, ...options })).kept;

  it('leaves them as they are, and hides the others', async () => {
    const parsing = await crowd(TWO);
    const same = await untouched(parsing, { ...WHOLE, keep: '1' });
    for (const [i, { mask }] of parsing.persons.entries()) {
      for (const [p, inside] of decodeRle(mask).entries()) if (inside === 1) assert.equal(same[p], i === 0);
    }
  });

  it('knows them by id, track and zone', async () => {
    const parsing = await crowd(TWO);
    const [first, second] = parsing.persons;
    const tracked = {
      ...parsing,
      persons: [
        { ...first!, track: 9 },
        { ...second!, zones: ['Entrance'] },
      ],
    };
    assert.deepEqual(await kept({ keep: '2' }, tracked), [2]);
    assert.deepEqual(await kept({ keep: 'id 2' }, tracked), [2]);
    assert.deepEqual(await kept({ keep: [1, 2] }, tracked), [1, 2]);
    assert.deepEqual(await kept({ keep: 'track 9' }, tracked), [1]);
    assert.deepEqual(await kept({ keep: 'Zone Entrance, track 8' }, tracked), [2]);
    assert.deepEqual(await kept({ keep: { ids: [1], zones: ['Entrance'] } }, tracked), [1, 2]);
  });

  it('knows zones apart whose names differ in case, spaces or the form of their letters', async () => {
    const parsing = await crowd(TWO);
    for (const [own, other] of [
      ['door', 'Door'],
      ['door', 'DOOR'],
      ['straße', 'strasse'],
      ['caf\u00E9', 'cafe\u0301'],
      ['back yard', 'back  yard'],
      ['back yard', 'back\u00A0yard'],
      ['door', ' door'],
      ['1', '\uFF11'],
    ] as const) {
      const persons = parsing.persons.map((person, i) => ({ ...person, zones: [i === 0 ? own : other] }));
      const zoned = { ...parsing, persons };
      assert.deepEqual(await kept({ keep: { zones: [own] } }, zoned), [1], own);
      assert.deepEqual(await kept({ keep: { zones: [other] } }, zoned), [2], other);
      assert.deepEqual(await kept({ keep: `zone ${own}` }, zoned), [1], own);
    }
  });

  it('knows no topic by what is no name', async () => {
    const parsing = await crowd(TWO);
    const of = (topic: unknown): Parsing => {
      const persons = parsing.persons.map((person, i) => ({ ...person, track: i + 1 }));
      return { ...parsing, persons, topic } as Parsing;
    };
    const keep = { tracks: [{ track: 1, topic: '' }] };
    assert.deepEqual(await kept({ keep }, of(undefined)), [1]);
    for (const topic of [null, {}, ['yard'], true]) assert.deepEqual(await kept({ keep }, of(topic)), []);
  });

  it('knows a track of one topic from that of another', async () => {
    const parsing = await crowd(TWO);
    const of = (topic: string): Parsing => {
      const persons = parsing.persons.map((person, i) => ({ ...person, track: i + 1 }));
      return { ...parsing, persons, topic } as Parsing;
    };
    assert.deepEqual(await kept({ keep: 'track 1 of yard' }, of('yard')), [1]);
    assert.deepEqual(await kept({ keep: 'Track 1 OF yard, track 2 of door' }, of('door')), [2]);
    assert.deepEqual(await kept({ keep: 'track 1 of yard' }, of('Yard')), []);
    assert.deepEqual(await kept({ keep: 'track 1 of end of yard' }, of('end of yard')), [1]);
    assert.deepEqual(await kept({ keep: { tracks: [{ track: 1, topic: 'a, b' }, 2] } }, of('a, b')), [1, 2]);
    assert.deepEqual(await kept({ keep: 'track 1 of yard' }, parsing), []);
  });

  it('takes a number for a name, as a track node does', async () => {
    const parsing = await crowd(TWO);
    const persons = parsing.persons.map((person, i) => ({ ...person, track: i + 1, zones: [`${i + 1}`] }));
    const tracked = { ...parsing, persons, topic: '5' } as Parsing;
    assert.deepEqual(await kept({ keep: { tracks: [{ track: 1, topic: 5 }] } }, tracked), [1]);
    assert.deepEqual(await kept({ keep: { tracks: [{ track: 1, topic: 6 }] } }, tracked), []);
    assert.deepEqual(
      await kept({ keep: { tracks: [{ track: 1, topic: 5 }] } }, { ...tracked, topic: 5 } as never),
      [1],
    );
    assert.deepEqual(await kept({ keep: { zones: [2] } }, tracked), [2]);
    assert.deepEqual(await kept({ keep: 'zone 2, track 1 of 5' }, tracked), [1, 2]);
  });

  it('takes any name in quotes', async () => {
    const parsing = await crowd(TWO);
    for (const name of [
      'Door, left',
      'yard, zone back',
      'a "b", c',
      '"',
      '"Door"',
      ' Door ',
      'of, of',
      '门口，左',
      'none',
      'a\nb',
    ]) {
      const persons = parsing.persons.map((person, i) => ({
        ...person,
        track: i + 1,
        zones: i === 0 ? [name] : [],
      }));
      const quoted = `"${name.replaceAll('"', '""')}"`;
      const tracked = { ...parsing, persons, topic: name } as Parsing;
      assert.deepEqual(await kept({ keep: `zone ${quoted}` }, tracked), [1], name);
      assert.deepEqual(
        await kept({ keep: `id 9, zone ${quoted} , track 2 of ${quoted}` }, tracked),
        [1, 2],
        name,
      );
    }
    // Elsewhere than at the beginning, quotes belong to the name.
    const persons = parsing.persons.map((person, i) => ({
      ...person,
      zones: [i === 0 ? '5" door' : 'yard'],
    }));
    assert.deepEqual(await kept({ keep: 'zone 5" door, zone yard' }, { ...parsing, persons }), [1, 2]);
    const tracked = {
      ...parsing,
      persons: parsing.persons.map((person) => ({ ...person, track: person.id })),
    };
    assert.deepEqual(await kept({ keep: 'track 2 of ""' }, tracked), [2]);
  });

  it('reads a long text at once', async () => {
    const parsing = await crowd(TWO);
    const long = 2_000_000;
    const refused = [
      `zone${' '.repeat(long)}`,
      `zone "${'""'.repeat(long)}`,
      `track 1${' '.repeat(long)}x`,
      '1'.repeat(long) + 'x',
    ];
    for (const keep of refused) await assert.rejects(kept({ keep }, parsing), M2fpError);
    assert.deepEqual(await kept({ keep: `zone "${'""'.repeat(long)}", 1` }, parsing), [1]);
  });

  it('takes zones from the state of a track node', async () => {
    const parsing = await crowd(TWO);
    const state = {
      zones: { Door: {} },
      persons: [{ id: 2, zones: ['Door'] }, { id: null, zones: [] }, 'x'],
    };
    assert.deepEqual(await kept({ keep: 'zone Door' }, withZones(parsing, { payload: state })), [2]);
    for (const other of [undefined, null, 'x', {}, { persons: [] }, [state]])
      assert.equal(withZones(parsing, { payload: other }), parsing);
  });

  it('hides everybody where nobody is met', async () => {
    const parsing = await crowd(TWO);
    for (const keep of ['3', 'track 1', 'zone Door', { ids: [] }, []] as const) {
      const { persons, kept: nobody } = await redact(parsing, { ...WHOLE, keep });
      assert.deepEqual([persons, nobody], [[1, 2], []]);
    }
  });

  it('hides everybody else, whoever was listed', async () => {
    const parsing = await crowd(TWO);
    const { persons, kept: one } = await redact(parsing, { ...WHOLE, keep: '1', persons: [1] });
    assert.deepEqual([persons, one], [[2], [1]]);
    const same = await untouched(parsing, { ...WHOLE, keep: '1', persons: [1] });
    for (const [p, inside] of decodeRle(parsing.persons[1]!.mask).entries())
      if (inside === 1) assert.equal(same[p], false);
  });

  it('hides parts of nobody', async () => {
    const parsing = await crowd(TWO);
    const [face] = parsing.parts;
    const { area } = await redact(
      { ...parsing, parts: [...parsing.parts, { ...face!, id: 99, person: null }] },
      { ...WHOLE, keep: '1, 2' },
    );
    assert.equal(area, face!.area);
  });

  const PLACE = fc
    .tuple(
      fc.nat(WIDTH - 3),
      fc.nat(HEIGHT - 4),
      fc.integer({ min: 2, max: 12 }),
      fc.integer({ min: 3, max: 10 }),
    )
    .map(([x, y, width, height]) => ({
      x,
      y,
      width: Math.min(width, WIDTH - x),
      height: Math.min(height, HEIGHT - y),
    }));

  it('never shows a pixel of who is hidden, whoever overlaps whom', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(PLACE, { minLength: 1, maxLength: 4 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
        fc.boolean(),
        fc.constantFrom('fill', 'symbol', 'pixelate'),
        async (places, keep, inverse, method) => {
          const parsing = await crowd(places);
          // What has the colour that hides it may look untouched: none does in fill and symbol; cells may, so they are
          // judged by what is redacted, not by colours.
          const options = { ...WHOLE, method, keep, inverse, format: 'png' as const };
          const same = await untouched(parsing, { ...options, method: 'fill' });
          for (const { id, mask } of parsing.persons) {
            if (keep.includes(id)) continue;
            for (const [p, inside] of decodeRle(mask).entries()) {
              if (inside === 1) assert.equal(same[p], false, `pixel ${p} of person ${id}`);
            }
          }
          await redact(parsing, options);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('hides the background, too, where everything but the chosen parts goes', async () => {
    const parsing = await crowd(TWO);
    const same = await untouched(parsing, { ...WHOLE, keep: '2', inverse: true });
    const own = decodeRle(parsing.persons[1]!.mask);
    assert.deepEqual(
      same,
      Array.from(own, (inside) => inside === 1),
    );
  });

  for (const owner of [1, null]) {
    it(`hides ${owner === null ? "nobody's part" : 'a part that reaches beyond its person'} over who is kept, the background hidden, too`, async () => {
      const parsing = await crowd(TWO);
      const coat = parsing.parts.find(({ person, index }) => person === 2 && index === 2)!;
      const other = { ...coat, id: parsing.parts.length + 1, person: owner };
      const same = await untouched(
        { ...parsing, parts: [...parsing.parts, other] },
        { ...WHOLE, keep: '2', inverse: true },
      );
      const within = decodeRle(other.mask);
      const shown = same.filter((isShown, p) => isShown && within[p] === 1);
      assert.equal(shown.length, 0);
      assert.ok(same.includes(true), 'the rest of who is kept is shown');
    });
  }

  for (const keep of [
    'one',
    '0',
    'zone',
    'track x',
    [0],
    { tracks: ['1'] },
    'track 0 of yard',
    'track x of yard',
    'zone "Door',
    'zone "Door" left',
    'track 7 of "yard',
    'track 7 "yard"',
    { zones: [true] },
    { tracks: [{ track: 1, topic: true }] },
    { tracks: [{ track: 1 }] },
    { people: [1] },
    7,
  ]) {
    it(`refuses ${JSON.stringify(keep)}`, async () => {
      await assert.rejects(redact(await crowd(TWO), { ...WHOLE, keep: keep as never }), (error: unknown) => {
        assert.ok(error instanceof M2fpError && error.code === 'M2FP_BAD_OPTION');
        assert.match(error.message, /"keep"/);
        return true;
      });
    });
  }
});

describe('what is laid over the hidden', () => {
  const dot = (opaque: number) =>
    sharp({ create: { width: 4, height: 4, channels: 4, background: { r: 0, g: 0, b: 255, alpha: opaque } } })
      .png()
      .toBuffer();

  it('is a picture as large as the box', async () => {
    const parsing = await crowd(TWO);
    const { image } = await redact(parsing, {
      ...WHOLE,
      method: 'picture',
      overlay: await dot(1),
      keep: '1',
    });
    const pixels = await pixelsOf(image);
    const { x, y, width, height } = TWO[1]!;
    for (let row = y; row < y + height; row++) {
      for (let column = x; column < x + width; column++)
        assert.deepEqual(pixels.at(column, row), [0, 0, 255]);
    }
    assert.deepEqual(pixels.at(x - 1, y), sourceColor(x - 1, y));
  });

  it('lets nothing show through where it is transparent', async () => {
    const parsing = await crowd(TWO);
    const { image } = await redact(parsing, { ...WHOLE, method: 'picture', overlay: await dot(0) });
    assert.deepEqual((await pixelsOf(image)).at(2, 2), [255, 0, 1]);
  });

  for (const symbol of SYMBOLS) {
    it(`is a ${symbol}`, async () => {
      const parsing = await crowd(TWO);
      const [plain, drawn] = await Promise.all([
        redact(parsing, WHOLE),
        redact(parsing, { ...WHOLE, method: 'symbol', symbol }),
      ]);
      assert.notDeepEqual(drawn.image, plain.image);
      assert.deepEqual(drawn.boxes, plain.boxes);
    });
  }

  it('stays beside what is kept where everything else goes', async () => {
    const parsing = await crowd(TWO);
    const same = await untouched(parsing, {
      ...WHOLE,
      method: 'picture',
      overlay: await dot(1),
      keep: '2',
      inverse: true,
    });
    const own = decodeRle(parsing.persons[1]!.mask);
    for (const [p, inside] of own.entries()) if (inside === 1) assert.ok(same[p]);
  });

  it('wants a picture, and a whole one', async () => {
    const parsing = await crowd(TWO);
    await assert.rejects(redact(parsing, { ...WHOLE, method: 'picture' }), /"overlay"/);
    await assert.rejects(
      redact(parsing, { ...WHOLE, method: 'picture', overlay: Buffer.from('no') }),
      M2fpError,
    );
  });
});

describe('the boxes of what was hidden', () => {
  it('are told by person, with the track, in the picture', async () => {
    const parsing = await crowd(TWO);
    const tracked = {
      ...parsing,
      persons: parsing.persons.map((person) => ({ ...person, track: 10 + person.id })),
    };
    const { boxes } = await redact(tracked, WHOLE);
    assert.deepEqual(boxes, [
      { person: 1, track: 11, ...TWO[0]! },
      { person: 2, track: 12, ...TWO[1]! },
    ]);
    assert.equal(boxesAsCsv(boxes), 'person,track,x,y,width,height\r\n1,11,1,1,6,9\r\n2,12,12,1,6,9\r\n');
    assert.deepEqual((await redact(tracked, { ...WHOLE, keep: '1, 2' })).boxes, []);
  });
});
