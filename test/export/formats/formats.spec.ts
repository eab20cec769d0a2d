/** Each format, read back by its own rules: the same categories, the same persons, the same pixels. */
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { readLabelPng } from '../../../bench/accuracy/label-png.ts';
import type { DataSetOptions } from '../../../src/export/export-options.ts';
import { decodeRle } from '../../../src/parsing/masks/rle.ts';
import type { Parsing, Rle } from '../../../src/parsing/types.ts';
import { exported, Folder, HEIGHT, insideOf, iouOf, pairs, union, WIDTH } from '../support.ts';

const folder = new Folder();

/** What should be read of a picture. */
interface Wanted {
  name: string;
  person: number | null;
  mask: Uint8Array;
  score: number;
}

const GARMENTS = ['UpperClothes', 'Coat', 'Shoe', 'Shoe', 'Dress', 'Scarf'];

function wantedOf({ parts, persons }: Parsing, content: DataSetOptions['content']): Wanted[] {
  if (content === 'persons') {
    return persons.map(({ id, mask, score }) => ({
      name: 'person',
      person: id,
      mask: decodeRle(mask),
      score,
    }));
  }
  const all = parts.map(({ label, person, mask, score }) => ({
    name: label,
    person,
    mask: decodeRle(mask),
    score,
  }));
  if (content !== 'garments') return all;
  return all
    .map((part) => ({ ...part, name: part.name.replace(/^(Left|Right)-s/, 'S') }))
    .filter(({ name }) => GARMENTS.includes(name));
}

/** What is left of each where a pixel has only one: the surest. */
function visible(wanted: readonly Wanted[]): Uint8Array[] {
  const owner = new Uint8Array(WIDTH * HEIGHT);
  const ascending = wanted.map((each, i) => ({ ...each, i })).toSorted((a, b) => a.score - b.score);
  for (const { mask, i } of ascending) mask.forEach((value, p) => value !== 0 && (owner[p] = i + 1));
  return wanted.map((_, i) => owner.map((value) => (value === i + 1 ? 1 : 0)));
}

const keyOf = (name: string, person: number | null): string => `${name} of ${person ?? 'nobody'}`;

/** Wanted regions of one name and person count as one, as formats have them that tell no more. */
function merged(wanted: readonly Wanted[]): Map<string, Uint8Array> {
  const masks = new Map<string, Uint8Array>();
  for (const { name, person, mask } of wanted) {
    const key = keyOf(name, person);
    masks.set(key, union([masks.get(key) ?? new Uint8Array(), mask]));
  }
  return masks;
}

function assertMasks(found: Map<string, Uint8Array>, wanted: readonly Wanted[], iou: number): void {
  const all = merged(wanted);
  assert.deepEqual([...found.keys()].toSorted(), [...all.keys()].toSorted());
  for (const [key, mask] of found)
    assert.ok(iouOf(mask, all.get(key)!) >= iou, `${key}: ${iouOf(mask, all.get(key)!)}`);
}

/** Attributes of an XML tag. */
function attributes(tag: string): Record<string, string> {
  return Object.fromEntries(
    [...tag.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]),
  );
}

interface Coco {
  images: { id: number; width: number; height: number; file_name: string }[];
  annotations: {
    id: number;
    image_id: number;
    category_id: number;
    segmentation: number[][] | Rle;
    area: number;
    bbox: number[];
    iscrowd: number;
    person: number | null;
    attributes?: { person: number };
  }[];
  categories: { id: number; name: string }[];
}

describe('exported annotations', () => {
  beforeEach(() => folder.make());
  afterEach(() => folder.remove());

  for (const content of ['parts', 'garments', 'persons'] as const) {
    for (const shapes of ['polygons', 'masks'] as const) {
      const options = { content, shapes };
      const iou = shapes === 'polygons' ? 0.98 : 1;

      it(`are COCO's: ${content} as ${shapes}`, async () => {
        const parsing = await exported(folder, { format: 'coco', ...options });
        const wanted = wantedOf(parsing, content);
        const { images, annotations, categories } = await folder.json<Coco>(
          'annotations',
          'instances_train.json',
        );
        assert.deepEqual(images, [{ id: 1, width: WIDTH, height: HEIGHT, file_name: 'people.png' }]);
        await access(join(folder.path, 'images/train/people.png'));
        assert.deepEqual(
          annotations.map(({ id }) => id),
          wanted.map((_, i) => i + 1),
        );
        for (const [i, annotation] of annotations.entries()) {
          const { name, person, mask } = wanted[i]!;
          assert.equal(categories.find(({ id }) => id === annotation.category_id)!.name, name);
          assert.equal(annotation.person, person);
          assert.equal(annotation.attributes?.person ?? null, person);
          assert.equal(annotation.iscrowd, 0);
          assert.equal(annotation.image_id, 1);
          const { segmentation } = annotation;
          const found = Array.isArray(segmentation)
            ? union(segmentation.map((ring) => insideOf(pairs(ring))))
            : decodeRle(segmentation);
          assert.ok(iouOf(found, mask) >= iou, `${name}: ${iouOf(found, mask)}`);
          assert.equal(annotation.area, mask.filter((value) => value !== 0).length);
        }
      });

      it(`are CVAT's: ${content} as ${shapes}`, async () => {
        const wanted = wantedOf(await exported(folder, { format: 'cvat', ...options }), content);
        const xml = await folder.text('annotations.xml');
        assert.match(xml, /<version>1.1<\/version>/);
        const image = attributes(/<image [^>]*>/.exec(xml)![0]);
        assert.deepEqual(image, {
          id: '0',
          name: 'people.png',
          subset: 'train',
          width: String(WIDTH),
          height: String(HEIGHT),
        });
        await access(join(folder.path, 'images/people.png'));
        const found = new Map<string, Uint8Array>();
        for (const [, tag, person] of xml.matchAll(
          /(<(?:polygon|mask) [^>]*>)<attribute name="person">(\d+)</g,
        )) {
          const shape = attributes(tag!);
          assert.equal(shape['group_id'] ?? '0', person);
          const pixels = shape['rle'] === undefined ? polygonPixels(shape['points']!) : maskPixels(shape);
          const key = keyOf(shape['label']!, Number(person) || null);
          found.set(key, union([found.get(key) ?? new Uint8Array(), pixels]));
        }
        assertMasks(found, wanted, iou);
      });

      it(`are LabelMe's: ${content} as ${shapes}`, async () => {
        const wanted = wantedOf(await exported(folder, { format: 'labelme', ...options }), content);
        const json = await folder.json<{
          imagePath: string;
          imageData: null;
          imageHeight: number;
          imageWidth: number;
          shapes: {
            label: string;
            points: number[][];
            group_id: number | null;
            shape_type: string;
            mask: string | null;
          }[];
        }>('people.json');
        assert.deepEqual(
          [json.imagePath, json.imageData, json.imageWidth, json.imageHeight],
          ['people.png', null, WIDTH, HEIGHT],
        );
        await access(join(folder.path, json.imagePath));
        const found = new Map<string, Uint8Array>();
        for (const { label, points, group_id: person, shape_type: type, mask } of json.shapes) {
          assert.equal(type, shapes === 'masks' ? 'mask' : 'polygon');
          const pixels = mask === null ? insideOf(points) : await pasted(Buffer.from(mask, 'base64'), points);
          const key = keyOf(label, person);
          found.set(key, union([found.get(key) ?? new Uint8Array(), pixels]));
        }
        assertMasks(found, wanted, iou);
      });

      it(`are Label Studio's: ${content} as ${shapes}`, async () => {
        const wanted = wantedOf(await exported(folder, { format: 'label-studio', ...options }), content);
        const type = shapes === 'polygons' ? 'polygonlabels' : 'brushlabels';
        const [task] = await folder.json<
          {
            id: number;
            data: { image: string };
            predictions: {
              result: {
                id: string;
                type: string;
                original_width: number;
                original_height: number;
                meta?: { text: string[] };
                value: { points?: number[][]; rle?: number[] } & Record<string, unknown>;
              }[];
            }[];
          }[]
        >('tasks.json');
        assert.equal(task!.data.image, '/data/local-files/?d=images/people.png');
        const config = await folder.text('label-config.xml');
        const found = new Map<string, Uint8Array>();
        const { result } = task!.predictions[0]!;
        assert.equal(new Set(result.map(({ id }) => id)).size, result.length);
        for (const { type: is, value, meta, original_width: width, original_height: height } of result) {
          assert.deepEqual([is, width, height], [type, WIDTH, HEIGHT]);
          const [label] = value[type] as [string];
          assert.ok(config.includes(`<Label value="${label}"`));
          const pixels =
            value.points === undefined
              ? unpack(value.rle!)
              : insideOf(value.points.map(([x, y]) => [(x! * WIDTH) / 100, (y! * HEIGHT) / 100]));
          const key = keyOf(label, meta === undefined ? null : Number(meta.text[0]!.replace('person ', '')));
          found.set(key, union([found.get(key) ?? new Uint8Array(), pixels]));
        }
        assertMasks(found, wanted, iou);
      });
    }

    it(`are COCO's panoptic ones: ${content}`, async () => {
      const wanted = wantedOf(await exported(folder, { format: 'coco-panoptic', content }), content);
      const { annotations, categories } = await folder.json<{
        annotations: {
          image_id: number;
          file_name: string;
          segments_info: {
            id: number;
            category_id: number;
            area: number;
            bbox: number[];
            person: number | null;
          }[];
        }[];
        categories: { id: number; name: string; isthing: number }[];
      }>('annotations', 'panoptic_train.json');
      const [{ file_name: file, segments_info: segments }] = annotations as [(typeof annotations)[0]];
      const pixels = await sharp(await folder.bytes('annotations/panoptic_train', file))
        .raw()
        .toBuffer();
      const ids = Array.from(
        { length: WIDTH * HEIGHT },
        (_, p) => pixels[3 * p]! + 256 * pixels[3 * p + 1]! + 65_536 * pixels[3 * p + 2]!,
      );
      const seen = visible(wanted);
      const left = wanted.filter((_, i) => seen[i]!.some((value) => value !== 0));
      assert.equal(segments.length, left.length);
      assert.equal(new Set(segments.map(({ id }) => id)).size, segments.length);
      for (const [i, segment] of segments.entries()) {
        const { name, person } = left[i]!;
        const mask = seen[wanted.indexOf(left[i]!)]!;
        const found = Uint8Array.from(ids, (id) => (id === segment.id ? 1 : 0));
        assert.deepEqual(found, mask);
        assert.equal(
          segment.area,
          mask.reduce((sum, value) => sum + value, 0),
        );
        assert.equal(categories.find(({ id }) => id === segment.category_id)!.name, name);
        assert.equal(segment.person, person);
      }
      const nobody = union(seen).map((value) => 1 - value);
      assert.deepEqual(
        Uint8Array.from(ids, (id) => (id === 0 ? 1 : 0)),
        nobody,
      );
    });

    it(`are YOLO's: ${content}`, async () => {
      const wanted = wantedOf(await exported(folder, { format: 'yolo-seg', content }), content);
      const yaml = await folder.text('data.yaml');
      const names = [...yaml.matchAll(/^ {2}\d+: (".*")$/gm)].map(([, name]) => JSON.parse(name!) as string);
      assert.match(yaml, /^train: images\/train\nval: images\/train\n/);
      await access(join(folder.path, 'images/train/people.png'));
      const lines = (await folder.text('labels/train/people.txt')).trim().split('\n');
      assert.equal(lines.length, wanted.length);
      for (const [i, line] of lines.entries()) {
        const [category = '', ...values] = line.split(' ');
        const shares = values.map(Number);
        assert.ok(shares.every((share) => share >= 0 && share <= 1));
        assert.equal(names[Number(category)], wanted[i]!.name);
        const found = insideOf(pairs(shares).map(([x, y]) => [x! * WIDTH, y! * HEIGHT]));
        assert.ok(iouOf(found, wanted[i]!.mask) >= 0.98, wanted[i]!.name);
      }
    });

    it(`are PASCAL VOC's: ${content}`, async () => {
      const wanted = wantedOf(await exported(folder, { format: 'voc', content }), content);
      const names = (await folder.text('labelmap.txt'))
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(':')[0]);
      assert.equal(await folder.text('ImageSets/Segmentation/train.txt'), 'people\n');
      const seen = visible(wanted);
      const objects = readLabelPng(await folder.bytes('SegmentationObject/people.png'), '').data;
      const classes = readLabelPng(await folder.bytes('SegmentationClass/people.png'), '').data;
      const xml = await folder.text('Annotations/people.xml');
      const found = [...xml.matchAll(/<object>(.*?)<\/object>/g)].map(([, text]) => text!);
      assert.equal(found.length, wanted.length);
      for (const [i, { name, person }] of wanted.entries()) {
        assert.deepEqual(
          Uint8Array.from(objects, (value) => (value === i + 1 ? 1 : 0)),
          seen[i],
        );
        assert.ok(seen[i]!.every((value, p) => value === 0 || names[classes[p]!] === name));
        assert.equal(/<name>(.*)<\/name>/.exec(found[i]!)![1], name);
        assert.equal(
          /<person>(.*)<\/person>/.exec(found[i]!)?.[1] ?? null,
          person === null ? null : String(person),
        );
      }
      // VOC's own palette: 1 is dark red.
      const png = await sharp(await folder.bytes('SegmentationClass/people.png'))
        .toColorspace('srgb')
        .raw()
        .toBuffer();
      const at = classes.indexOf(1);
      if (at >= 0) assert.deepEqual([...png.subarray(3 * at, 3 * at + 3)], [128, 0, 0]);
    });
  }

  it('refuse garments of a model that knows none', async () => {
    const { DataSet } = await import('../../../src/export/dataset/data-set.ts');
    const { drawnParsing } = await import('../support.ts');
    const parsing = {
      ...(await drawnParsing()),
      labels: ['Background', 'Head', 'Torso', 'Human'],
      parts: [],
    };
    const set = await DataSet.open(folder.path, { content: 'garments' });
    await assert.rejects(set.add(parsing, 'people'), { code: 'M2FP_BAD_OPTION', message: /knows none/ });
    await set.close();
  });
});

function polygonPixels(points: string): Uint8Array {
  return insideOf(points.split(';').map((pair) => pair.split(',').map(Number)));
}

/** CVAT's runs go along the rows of the box, outside first. */
function maskPixels({ rle, left, top, width, height }: Record<string, string>): Uint8Array {
  const pixels = new Uint8Array(WIDTH * HEIGHT);
  let at = 0;
  for (const [i, run] of rle!.split(',').map(Number).entries()) {
    for (let k = 0; k < run; k++, at++) {
      const [x, y] = [Number(left) + (at % Number(width)), Number(top) + Math.floor(at / Number(width))];
      pixels[y * WIDTH + x] = i % 2;
    }
  }
  assert.equal(at, Number(width) * Number(height));
  return pixels;
}

/** LabelMe's masks lie between two pixels, both of which are theirs. */
async function pasted(png: Buffer, points: number[][]): Promise<Uint8Array> {
  const { data, info } = await sharp(png).extractChannel(0).raw().toBuffer({ resolveWithObject: true });
  const [[left, top], [right, bottom]] = points as [[number, number], [number, number]];
  assert.deepEqual([info.width, info.height], [right - left + 1, bottom - top + 1]);
  const pixels = new Uint8Array(WIDTH * HEIGHT);
  data.forEach((value, p) => {
    pixels[(top + Math.floor(p / info.width)) * WIDTH + left + (p % info.width)] = value === 0 ? 0 : 1;
  });
  return pixels;
}

/** thi.ng's rle-pack, as its description has it; of the four channels the last. */
function unpack(bytes: readonly number[]): Uint8Array {
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let at = 0;
  const read = (count: number): number => Number.parseInt(bits.slice(at, (at += count)), 2);
  const length = read(32);
  const size = read(5) + 1;
  const sizes = [0, 0, 0, 0].map(() => read(4) + 1);
  const values: number[] = [];
  while (values.length < length) {
    const repeats = read(1) === 1;
    const count = read(sizes[read(2)]!) + 1;
    const value = repeats ? read(size) : -1;
    for (let i = 0; i < count; i++) values.push(repeats ? value : read(size));
  }
  assert.equal(length, 4 * WIDTH * HEIGHT);
  return Uint8Array.from({ length: WIDTH * HEIGHT }, (_, p) => (values[4 * p + 3] === 0 ? 0 : 1));
}
