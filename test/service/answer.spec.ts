/** Answers, read back by programs that are not ours: sharp, and a reader of multipart by hand. */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { decodeRle } from '../../src/parsing/masks/rle.ts';
import { redact } from '../../src/parsing/redact/redact.ts';
import { summarize } from '../../src/parsing/summary.ts';
import type { Parsing, Rle } from '../../src/parsing/types.ts';
import { answerOf } from '../../src/service/answer.ts';
import type { AnswerOptions } from '../../src/service/answer-options.ts';
import { exampleParsing } from '../nodes/support/fake-engine.ts';
import { sourceColor } from '../parsing/scene.ts';

interface Region {
  id: number;
  mask?: Rle;
  polygons?: { outer: number[]; holes: number[][] }[];
  png?: string;
}

describe('an answer', () => {
  let parsing: Parsing;
  before(async () => {
    parsing = await exampleParsing();
  });

  const ask = (options: AnswerOptions = {}, accept?: string) => answerOf(parsing, { accept, options });
  const json = async <T>(options: AnswerOptions = {}): Promise<T> => {
    const { headers, body } = await ask({ format: 'json', ...options });
    assert.equal(headers['content-type'], 'application/json');
    return JSON.parse(body.toString()) as T;
  };
  const pixels = async (image: Buffer) => {
    const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
    return { data, size: [info.width, info.height], channels: info.channels };
  };

  it('is the summary as JSON', async () => {
    assert.deepEqual(await json(), JSON.parse(JSON.stringify(await summarize(parsing))));
  });

  it('has masks in each of their forms, all of them the same', async () => {
    const { width, height } = parsing;
    for (const name of ['persons', 'parts'] as const) {
      const [rle, polygon, png] = (await Promise.all(
        (['rle', 'polygon', 'png'] as const).map((masks) =>
          json<Record<string, Region[]>>({ masks, iou: 1 }),
        ),
      )) as [Record<string, Region[]>, Record<string, Region[]>, Record<string, Region[]>];
      for (const [at, { box, mask }] of parsing[name].entries()) {
        assert.deepEqual(rle[name]![at]!.mask, mask);
        const inside = decodeRle(mask);
        const paths = polygon[name]![at]!.polygons!.map(({ outer, holes }) =>
          [outer, ...holes].map((ring) => `M${ring.join(' ')}Z`).join(''),
        );
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" shape-rendering="crispEdges"><rect width="100%" height="100%"/><path d="${paths.join('')}" fill="#fff" fill-rule="evenodd"/></svg>`;
        const drawn = await sharp(Buffer.from(svg)).extractChannel(0).raw().toBuffer();
        assert.deepEqual(
          [...drawn].map((value) => value >> 7),
          [...inside],
        );
        const cut = await pixels(Buffer.from(png[name]![at]!.png!, 'base64'));
        assert.deepEqual(cut.size, [box.width, box.height]);
        for (let y = 0; y < box.height; y++) {
          for (let x = 0; x < box.width; x++) {
            const value = cut.data[(y * box.width + x) * cut.channels];
            assert.equal(value, 255 * inside[(box.y + y) * width + box.x + x]!);
          }
        }
      }
    }
  });

  it('holds the picture in JSON where that is asked for', async () => {
    const { picture } = await json<{
      picture: { type: string; width: number; height: number; data: string };
    }>({
      picture: true,
      view: 'map',
    });
    const { data, ...rest } = picture;
    assert.deepEqual(rest, { type: 'image/png', width: 8, height: 4 });
    assert.deepEqual(Buffer.from(data, 'base64'), (await ask({ format: 'png', view: 'map' })).body);
  });

  for (const view of ['overlay', 'map', 'persons', 'redacted'] as const) {
    for (const [format, type] of [
      ['png', 'png'],
      ['webp', 'webp'],
      ['jpeg', 'jpeg'],
    ] as const) {
      it(`is a picture: ${view} as ${format}`, async () => {
        const { body, headers, statusCode } = await ask({ view }, `image/${type}`);
        assert.equal(statusCode, 200);
        assert.equal(headers['content-type'], `image/${type}`);
        const { format: found, width, height } = await sharp(body).metadata();
        assert.deepEqual([found, width, height], [type, 8, 4]);
      });
    }
  }

  it('is label numbers, of chosen persons alone where they are', async () => {
    const all = await pixels((await ask({ format: 'png', view: 'labels' })).body);
    assert.deepEqual(
      [...all.data].filter((_, at) => at % all.channels === 0),
      [...parsing.labelMap],
    );
    const one = await pixels((await ask({ format: 'png', view: 'labels', persons: [2] })).body);
    const expected = [...parsing.labelMap].map((label, p) => (parsing.personMap[p] === 2 ? label : 0));
    assert.deepEqual(
      [...one.data].filter((_, at) => at % one.channels === 0),
      expected,
    );
  });

  it('is a person or a part cut out of the picture', async () => {
    const person = await pixels((await ask({ format: 'png', view: 'crop', persons: [2] })).body);
    assert.deepEqual(person.size, [3, 4]);
    assert.deepEqual([...person.data.subarray(0, 3)], sourceColor(5, 0));
    const label = parsing.labels[2]!;
    const part = await pixels(
      (await ask({ format: 'png', view: 'crop', persons: [1], labels: [label] })).body,
    );
    assert.deepEqual(part.size, [4, 2]);
    assert.deepEqual([...part.data.subarray(0, 3)], sourceColor(0, 2));
  });

  it('says that there is nothing to cut out', async () => {
    const bald = {
      ...parsing,
      parts: parsing.parts.filter(({ person, label }) => person !== 2 || label !== 'Hair'),
    };
    const options = { format: 'png', view: 'crop', persons: [2], labels: ['Hair'] } as const;
    await assert.rejects(answerOf(bald, { options }), { code: 'M2FP_NOTHING_FOUND', statusCode: 404 });
    await assert.rejects(ask({ format: 'png', view: 'crop', persons: [9] }), { code: 'M2FP_BAD_OPTION' });
    await assert.rejects(ask({ format: 'png', view: 'crop', labels: ['Nose'] }), { code: 'M2FP_BAD_OPTION' });
  });

  it('redacts as redact does, and hides a person wholly on whom nothing was found', async () => {
    const { body } = await ask({
      format: 'png',
      view: 'redacted',
      method: 'fill',
      labels: [parsing.labels[1]!],
      grow: 0,
    });
    const expected = await redact(parsing, { method: 'fill', labels: [parsing.labels[1]!], grow: 0 });
    assert.deepEqual(body, expected.image);
    const hidden = { ...parsing, parts: parsing.parts.filter(({ id }) => id !== 3) };
    hidden.labelMap = Buffer.from(
      parsing.labelMap.map((label, p) => (parsing.personMap[p] === 2 && label === 1 ? 0 : label)),
    );
    const covered = await answerOf(hidden, {
      options: { format: 'png', view: 'redacted', method: 'fill', labels: [parsing.labels[1]!], grow: 0 },
    });
    const { data, channels } = await pixels(covered.body);
    for (const p of [5, 6, 7, 3 * 8 + 6])
      assert.deepEqual([...data.subarray(p * channels, p * channels + 3)], [0, 0, 0]);
  });

  it('does not go out unredacted where who was meant is not in the picture, or the doubtful were lost', async () => {
    await assert.rejects(ask({ format: 'png', view: 'redacted', persons: [7] }), {
      code: 'M2FP_BAD_OPTION',
      message: /persons/,
    });
    const { doubtful: _, ...lost } = parsing;
    await assert.rejects(answerOf(lost, { options: { format: 'png', view: 'redacted' } }), {
      code: 'M2FP_NO_PARSING',
    });
  });

  it('is a COCO data set, with either segmentation', async () => {
    interface Coco {
      images: { id: number; width: number; height: number }[];
      categories: { id: number; name: string }[];
      annotations: {
        id: number;
        image_id: number;
        category_id: number;
        bbox: number[];
        area: number;
        iscrowd: number;
        segmentation: unknown;
      }[];
    }
    for (const masks of ['none', 'rle', 'polygon'] as const) {
      const { body, headers } = await ask({ format: 'coco', masks, iou: 1 });
      assert.equal(headers['content-type'], 'application/json');
      const { images, categories, annotations } = JSON.parse(body.toString()) as Coco;
      assert.deepEqual(
        images.map(({ id, width, height }) => [id, width, height]),
        [[1, 8, 4]],
      );
      assert.deepEqual(
        categories.map(({ name }) => name),
        parsing.labels.slice(1),
      );
      const names = new Map(categories.map(({ id, name }) => [id, name]));
      assert.equal(annotations.length, parsing.persons.length + parsing.parts.length);
      for (const [at, part] of parsing.parts.entries()) {
        const {
          category_id: category,
          bbox,
          area,
          iscrowd,
          segmentation,
        } = annotations[parsing.persons.length + at]!;
        const { x, y, width, height } = part.box;
        assert.deepEqual(
          [names.get(category), bbox, area, iscrowd],
          [part.label, [x, y, width, height], part.area, 0],
        );
        const rectangle = [x, y, x + width, y, x + width, y + height, x, y + height];
        assert.deepEqual(segmentation, masks === 'polygon' ? [rectangle] : part.mask);
      }
    }
  });

  it('is JSON and the picture in two parts', async () => {
    const { headers, body } = await ask({ view: 'map' }, 'multipart/mixed');
    const [, boundary] = /^multipart\/mixed; boundary=([\w-]{1,70})$/.exec(headers['content-type']!)!;
    const pieces = body.toString('latin1').split(`--${boundary}`);
    assert.equal(pieces.length, 4);
    assert.equal(pieces[3], '--\r\n');
    const [first, second] = pieces.slice(1, 3).map((piece) => {
      const [head, ...rest] = piece.split('\r\n\r\n');
      return { head: head!, content: Buffer.from(rest.join('\r\n\r\n').replace(/\r\n$/, ''), 'latin1') };
    });
    assert.match(first!.head, /Content-Type: application\/json/);
    assert.deepEqual(JSON.parse(first!.content.toString()), await json());
    assert.match(second!.head, /Content-Type: image\/png/);
    assert.deepEqual(second!.content, (await ask({ format: 'png', view: 'map' })).body);
  });

  it('takes what the form says for what the client leaves open', async () => {
    const defaults = { format: 'png', view: 'map' } as const;
    assert.equal((await answerOf(parsing, { defaults })).headers['content-type'], 'image/png');
    const other = await answerOf(parsing, { defaults, accept: 'application/json' });
    assert.equal(other.headers['content-type'], 'application/json');
  });

  it('refuses what is no parsing, and options that are none', async () => {
    await assert.rejects(answerOf({}, {}), { code: 'M2FP_NO_PARSING' });
    await assert.rejects(ask({ bla: 1 } as AnswerOptions), { code: 'M2FP_BAD_OPTION', message: /bla/ });
    await assert.rejects(ask({ format: 'jpeg', view: 'labels' }), {
      code: 'M2FP_BAD_OPTION',
      message: /format/,
    });
  });
});
