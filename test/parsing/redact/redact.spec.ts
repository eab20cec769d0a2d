import assert from 'node:assert/strict';
import sharp from 'sharp';
import { redact, type RedactOptions } from '../../../src/parsing/redact/redact.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { formatOf, paint, parsingOf, pixelsOf, type Rows, sourceColor } from '../scene.ts';

const LABELS = ['Background', 'Hair', 'Face', 'Coat', 'Human'];

/** Two persons with a face each, the first with hair and a coat; the third face is nobody's. */
async function people(): Promise<Parsing> {
  return parsingOf({
    width: 8,
    height: 4,
    labels: LABELS,
    persons: [
      { score: 0.9, rows: ['##......', '##......', '##......', '##......'] },
      { score: 0.7, rows: ['....##..', '....##..', '....##..', '....##..'] },
    ],
    parts: [
      { index: 1, person: 1, score: 0.9, rows: ['##......', '........', '........', '........'] },
      { index: 2, person: 1, score: 0.8, rows: ['........', '##......', '........', '........'] },
      { index: 3, person: 1, score: 0.8, rows: ['........', '........', '##......', '##......'] },
      { index: 2, person: 2, score: 0.2, rows: ['....##..', '........', '........', '........'] },
      { index: 2, person: null, score: 0.5, rows: ['.......#', '........', '........', '........'] },
    ],
  });
}

/** The picture of a fill in pure red, as rows: 'r' red, '#' the source's own colour, '?' anything else. */
async function filled(parsing: Parsing, options: RedactOptions = {}): Promise<string[]> {
  const { image } = await redact(parsing, { method: 'fill', color: [255, 0, 0], grow: 0, ...options });
  const pixels = await pixelsOf(image);
  return Array.from({ length: parsing.height }, (_, y) =>
    Array.from({ length: parsing.width }, (_unused, x) => {
      const color = pixels.at(x, y).join();
      if (color === '255,0,0') return 'r';
      return color === sourceColor(x, y).join() ? '#' : '?';
    }).join(''),
  );
}

/** A parsing whose only part, a face, covers `rows` of a picture that `color` gives. */
async function face(rows: Rows, color: (x: number, y: number) => readonly number[]): Promise<Parsing> {
  const [width, height] = [rows[0]!.length, rows.length];
  const raw = { width, height, channels: 3 as const };
  return parsingOf({
    width,
    height,
    labels: LABELS,
    image: await sharp(paint(width, height, color), { raw })
      .png()
      .toBuffer(),
    parts: [{ index: 2, person: null, score: 1, rows }],
  });
}

function solid(width: number, height: number): string[] {
  return Array.from({ length: height }, () => '#'.repeat(width));
}

describe('redact', () => {
  describe('what it redacts', () => {
    it("is everybody's hair and face, and nothing else, where nothing is said", async () => {
      assert.deepEqual(await filled(await people()), ['rr##rr#r', 'rr######', '########', '########']);
    });

    for (const [name, options, expected] of [
      [
        'the labels',
        { labels: ['coat'], uncovered: 'pass' },
        ['########', '########', 'rr######', 'rr######'],
      ],
      ['whole persons', { labels: ['Human'] }, ['rr##rr##', 'rr##rr##', 'rr##rr##', 'rr##rr##']],
      ['of the persons', { persons: [2] }, ['####rr##', '########', '########', '########']],
      [
        'those of the score',
        { minScore: 0.5, uncovered: 'pass' },
        ['rr#####r', 'rr######', '########', '########'],
      ],
      [
        'everything else',
        { inverse: true, labels: ['Coat'] },
        ['rrrrrrrr', 'rrrrrrrr', '##rrrrrr', '##rrrrrr'],
      ],
      [
        'more by so many pixels',
        { labels: ['Coat'], grow: 1, uncovered: 'pass' },
        ['########', 'rrr#####', 'rrr#####', 'rrr#####'],
      ],
    ] as const) {
      it(`is ${name} that the options say`, async () => {
        assert.deepEqual(await filled(await people(), options), expected);
      });
    }

    it('grows by 8 pixels by itself where the picture is small, but not inverse and not to recolour', async () => {
      const row = '.'.repeat(10) + '#' + '.'.repeat(10);
      const parsing = await face([row], sourceColor);
      const areaOf = async (options: RedactOptions) => (await redact(parsing, options)).area;
      assert.equal(await areaOf({ method: 'fill' }), 17);
      assert.equal(await areaOf({ method: 'fill', grow: 'auto' }), 17);
      assert.equal(await areaOf({ method: 'recolor' }), 1);
      assert.equal(await areaOf({ method: 'fill', inverse: true }), 20);
    });

    // Four pixels of a mask, each four of the network's, which are one or three of the picture's.
    for (const [width, reach] of [
      [201, 16],
      [67, 48],
    ] as const) {
      it(`grows the further, the coarser the network saw the picture: ${width} pixels wide`, async () => {
        const row = '.'.repeat(100) + '#' + '.'.repeat(100);
        const parsing = await face([row], sourceColor);
        const seen = { ...parsing, network: { width, height: 1 } };
        assert.equal((await redact(seen, { method: 'fill' })).area, 2 * reach + 1);
      });
    }

    it('is the same with names and ids as the text of a field', async () => {
      const parsing = await people();
      const options = { labels: ['Face', 'Hair'], persons: [1] };
      const { image } = await redact(parsing, options);
      assert.deepEqual((await redact(parsing, { labels: 'face, Hair', persons: '1' })).image, image);
    });

    it('tells persons that the parsing does not have', async () => {
      assert.deepEqual((await redact(await people(), { persons: [1, 99] })).missing, [99]);
      assert.deepEqual((await redact(await people())).missing, []);
    });

    for (const options of [{ persons: [] }, { labels: [] }, { labels: 'none' }]) {
      it(`is somebody and something: ${JSON.stringify(options)} is refused`, async () => {
        await assert.rejects(redact(await people(), options), { code: 'M2FP_BAD_OPTION' });
      });
    }

    it('is also what only the label map has', async () => {
      const parsing = await parsingOf({
        width: 4,
        height: 1,
        labels: LABELS,
        labelRows: ['0220'],
        personRows: ['0010'],
        persons: [{ rows: ['..#.'] }],
      });
      assert.deepEqual(await filled(parsing), ['#rr#']);
      assert.deepEqual(await filled(parsing, { persons: [1] }), ['##r#']);
    });

    it('has the label of a whole head, where the model knows no face', async () => {
      const labels = ['Background', 'Head', 'Torso'];
      const parts = [
        { index: 1, rows: ['#...'] },
        { index: 2, rows: ['..#.'] },
      ];
      assert.deepEqual(await filled(await parsingOf({ width: 4, height: 1, labels, parts })), ['r###']);
    });
  });

  describe('without anybody', () => {
    const nobody = () => parsingOf({ width: 4, height: 2, labels: LABELS });

    it('leaves the picture and says so', async () => {
      const parsing = await nobody();
      assert.deepEqual(await filled(parsing), ['####', '####']);
      const { area, found } = await redact(parsing);
      assert.deepEqual({ area, found }, { area: 0, found: false });
    });

    it('redacts all of it where it shall', async () => {
      assert.deepEqual(await filled(await nobody(), { nobody: 'all' }), ['rrrr', 'rrrr']);
    });

    it('does not take a person from behind for nobody', async () => {
      const parsing = await parsingOf({
        width: 4,
        height: 1,
        labels: LABELS,
        persons: [{ rows: ['.##.'] }],
        parts: [{ index: 3, person: 1, rows: ['.##.'] }],
      });
      assert.deepEqual(await filled(parsing, { nobody: 'all', uncovered: 'pass' }), ['####']);
      assert.equal((await redact(parsing)).found, true);
    });
  });

  describe('how', () => {
    it('pixelates into the means of no more cells than told, along the longer side', async () => {
      const parsing = await face(solid(32, 16), (x, y) => [8 * x, 16 * y, 0]);
      const pixels = await pixelsOf((await redact(parsing, { method: 'pixelate', cells: 2, grow: 0 })).image);
      // The means of 0, 8, …, 120 and of 128, …, 248; of 0, 16, …, 240.
      for (let y = 0; y < 16; y++) {
        for (let x = 0; x < 32; x++) assert.deepEqual(pixels.at(x, y), [x < 16 ? 60 : 188, 120, 0]);
      }
    });

    it('keeps no cell smaller than 8 pixels', async () => {
      const parsing = await face(solid(16, 8), (x) => [x * 10, 0, 0]);
      const pixels = await pixelsOf(
        (await redact(parsing, { method: 'pixelate', cells: 64, grow: 0 })).image,
      );
      assert.deepEqual([pixels.at(0, 0)[0], pixels.at(7, 7)[0]], [35, 35]);
      assert.deepEqual([pixels.at(8, 0)[0], pixels.at(15, 7)[0]], [115, 115]);
    });

    it('blurs to nothing but an even change between those means', async () => {
      const parsing = await face(solid(32, 16), (x) => [x < 16 ? 0 : 160, 0, 0]);
      const pixels = await pixelsOf((await redact(parsing, { cells: 2, grow: 0 })).image);
      for (let x = 0; x < 32; x++) {
        const share = Math.min(Math.max((x + 0.5) / 16 - 0.5, 0), 1);
        for (const y of [0, 9, 15]) assert.equal(pixels.at(x, y)[0], Math.round(160 * share));
      }
    });

    it('blurs two pictures of equal means alike, whatever they showed', async () => {
      const stripes = await face(solid(32, 32), (x) => [x % 2 === 0 ? 200 : 100, 0, 0]);
      const checks = await face(solid(32, 32), (x, y) => [(x + y) % 2 === 0 ? 200 : 100, 0, 0]);
      const [a, b] = [await redact(stripes), await redact(checks)];
      assert.ok(a.image.equals(b.image));
    });

    it('recolours and keeps light and shade', async () => {
      const parsing = await face(
        ['###'],
        (x) =>
          [
            [50, 50, 50],
            [100, 100, 100],
            [150, 150, 150],
          ][x]!,
      );
      const pixels = await pixelsOf(
        (await redact(parsing, { method: 'recolor', color: [200, 100, 0] })).image,
      );
      assert.deepEqual(pixels.at(0, 0), [100, 50, 0]);
      assert.deepEqual(pixels.at(1, 0), [200, 100, 0]);
      // 50 of the 155 up to white.
      assert.deepEqual(pixels.at(2, 0), [218, 150, 82]);
    });

    it('removes the colours, too', async () => {
      const parsing = await face(['.#'], sourceColor);
      const pixels = await pixelsOf((await redact(parsing, { method: 'remove', grow: 0 })).image);
      assert.deepEqual(pixels.at(0, 0), [...sourceColor(0, 0), 255]);
      assert.deepEqual(pixels.at(1, 0), [0, 0, 0, 0]);
    });
  });

  it('writes the format, without the metadata of the source', async () => {
    const image = await sharp(paint(4, 4, sourceColor), { raw: { width: 4, height: 4, channels: 3 } })
      .withExif({ IFD0: { Copyright: 'somebody' } })
      .jpeg()
      .toBuffer();
    assert.ok((await sharp(image).metadata()).exif !== undefined);
  });

  for (const [format, mime] of [
    ['png', 'image/png'],
    ['jpeg', 'image/jpeg'],
    ['webp', 'image/webp'],
  ] as const) {
    it(`writes ${format}, without the metadata of the source`, async () => {
      const image = await sharp(paint(4, 4, sourceColor), { raw: { width: 4, height: 4, channels: 3 } })
        .withExif({ IFD0: { Copyright: 'somebody' } })
        .jpeg()
        .toBuffer();
      const parsing = await parsingOf({ width: 4, height: 4, labels: LABELS, image });
      const result = await redact(parsing, { format });
      assert.equal(formatOf(result.image), format);
      assert.equal(result.mime, mime);
      assert.equal((await sharp(result.image).metadata()).exif, undefined);
    });
  }

  it('writes nothing into the parsing', async () => {
    const parsing = await people();
    const before = structuredClone(parsing);
    for (const method of ['blur', 'pixelate', 'fill', 'recolor', 'remove'] as const) {
      await redact(parsing, { method });
    }
    assert.deepEqual(parsing, {
      ...before,
      image: Buffer.from(before.image),
      labelMap: parsing.labelMap,
      personMap: parsing.personMap,
    });
    assert.ok(Buffer.from(before.labelMap).equals(parsing.labelMap));
  });

  for (const [option, value] of [
    ['method', 'smear'],
    ['labels', ['Tail']],
    ['persons', [0]],
    ['persons', 1],
    ['inverse', 'yes'],
    ['grow', -1],
    ['grow', 1.5],
    ['grow', 'wide'],
    ['uncovered', 'maybe'],
    ['cells', 0],
    ['cells', 65],
    ['color', 'no colour'],
    ['minScore', 2],
    ['nobody', 'drop'],
    ['format', 'gif'],
    ['quality', 0],
  ] as const) {
    it(`refuses ${option} = ${JSON.stringify(value)} and names it`, async () => {
      await assert.rejects(redact(await people(), { [option]: value }), (error: Error) => {
        assert.equal((error as Error & { code?: string }).code, 'M2FP_BAD_OPTION');
        assert.match(error.message, new RegExp(`"${option}"`));
        return true;
      });
    });
  }

  it('refuses a JPEG that is to be transparent', async () => {
    await assert.rejects(redact(await people(), { method: 'remove', format: 'jpeg' }), {
      code: 'M2FP_BAD_OPTION',
    });
  });

  it('refuses what is no parsing', async () => {
    await assert.rejects(redact({} as Parsing), { code: 'M2FP_NO_PARSING' });
  });
});
