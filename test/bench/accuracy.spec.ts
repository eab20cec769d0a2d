import { deepEqual, equal, rejects, throws } from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { accuracyOptions, benchAccuracy } from '../../bench/accuracy/index.ts';
import { listScenes, readScene } from '../../bench/accuracy/scenes.ts';
import { table } from '../../bench/accuracy/table.ts';
import { ruleOf } from '../../bench/accuracy/variant.ts';

const COMMITTED = join(import.meta.dirname, '..', '..', 'bench', 'scenes');
const badOption = { code: 'M2FP_BAD_OPTION' };

async function labelImage(file: string, width: number, height: number, values: number[]): Promise<void> {
  const raw = { width, height, channels: 1 } as const;
  await sharp(Uint8Array.from(values), { raw }).toColorspace('b-w').png().toFile(file);
}

describe('npm run bench -- accuracy', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'm2fp-accuracy-'));
    for (const name of ['Images', 'Category_ids', 'Human_ids', 'Instance_ids'])
      await mkdir(join(folder, name));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('judges the bundled model on the committed scenes, and sharp beside our resize', async () => {
    const lines: string[] = [];
    const result = await benchAccuracy((line) => lines.push(line), ['--limit', '2', '--short-side', '64']);
    equal(result.scenes, 2);
    deepEqual(
      result.variants.map(({ resize }) => resize),
      ['pillow', 'sharp'],
    );
    for (const { figures } of result.variants) {
      equal(figures.people, 2);
      // Both scenes are mostly background, which any trained model finds.
      equal((figures.classes['Background'] ?? 0) > 0.2, true);
    }
    equal(
      lines.some((line) => /^mIoU +\d\.\d{4} +\d\.\d{4}$/.test(line)),
      true,
    );
  });

  it('judges the model with flip test-time augmentation too, where asked for', async () => {
    const args = ['--limit', '2', '--short-side', '64', '--flip'];
    const { variants } = await benchAccuracy(() => undefined, args);
    deepEqual(
      variants.map(({ resize, flip }) => [resize, flip]),
      [
        ['pillow', false],
        ['pillow', true],
        ['sharp', false],
      ],
    );
    const [plain, flipped] = variants;
    equal(flipped!.name, `${plain!.name}, flip`);
    equal(flipped!.figures.miou === plain!.figures.miou, false);
  });

  it('leaves a picture out whose truth has another size, and says so', async () => {
    await cp(join(COMMITTED, 'Images', '0000001.jpg'), join(folder, 'Images', 'a.jpg'));
    for (const name of ['Category_ids', 'Human_ids', 'Instance_ids']) {
      await labelImage(join(folder, name, 'a.png'), 2, 1, [0, 1]);
    }
    const lines: string[] = [];
    const result = await benchAccuracy((line) => lines.push(line), ['--data', folder, '--short-side', '64']);
    deepEqual([result.scenes, result.skipped], [0, ['a.jpg']]);
    equal(lines[0], 'a.jpg left out: it is 320 x 320, its truth 2 x 1');
    equal(result.variants[0]!.figures.miou, null);
  });

  it('reads the truth of a picture in the layout of CIHP', async () => {
    await writeFile(join(folder, 'Images', 'b.jpg'), 'picture');
    await writeFile(join(folder, 'Images', 'a.png'), 'picture');
    await writeFile(join(folder, 'Images', 'notes.txt'), 'text');
    await labelImage(join(folder, 'Category_ids', 'b.png'), 2, 2, [0, 13, 2, 2]);
    await labelImage(join(folder, 'Human_ids', 'b.png'), 2, 2, [0, 1, 1, 2]);
    await labelImage(join(folder, 'Instance_ids', 'b.png'), 2, 2, [0, 1, 2, 3]);
    deepEqual(await listScenes(folder), ['a.png', 'b.jpg']);
    const { name, image, truth } = await readScene(folder, 'b.jpg');
    deepEqual([name, image.toString(), truth.width, truth.height], ['b', 'picture', 2, 2]);
    deepEqual(
      [[...truth.categories], [...truth.persons], [...truth.instances]],
      [
        [0, 13, 2, 2],
        [0, 1, 1, 2],
        [0, 1, 2, 3],
      ],
    );
    await rejects(readScene(folder, 'a.png'), /truth of a\.png cannot be read/);
    for (const [width, height] of [
      [3, 2],
      [2, 3],
    ] as const) {
      await labelImage(join(folder, 'Human_ids', 'b.png'), width, height, [0, 1, 1, 2, 2, 2]);
      await rejects(readScene(folder, 'b.jpg'), /label images of b\.jpg differ in size/);
    }
  });

  it('refuses labels that the model does not know', async () => {
    await cp(join(COMMITTED, 'Images', '0000001.jpg'), join(folder, 'Images', 'a.jpg'));
    for (const name of ['Category_ids', 'Human_ids', 'Instance_ids']) {
      await labelImage(join(folder, name, 'a.png'), 320, 320, Array<number>(320 * 320).fill(20));
    }
    const judged = benchAccuracy(() => undefined, ['--data', folder, '--short-side', '64']);
    await rejects(judged, /truth of a has the label 20, the model knows 0 to 19/);
  });

  it('refuses a folder without pictures', async () => {
    await rejects(
      benchAccuracy(() => undefined, ['--data', folder]),
      badOption,
    );
    await rejects(listScenes(join(folder, 'missing')), badOption);
  });

  it('checks its options', () => {
    const options = accuracyOptions(['--model', 'a', '--model', 'b', '--limit', '3', '--short-side', '320']);
    deepEqual(options, { models: ['a', 'b'], data: COMMITTED, limit: 3, shortSide: 320, flip: false });
    equal(accuracyOptions(['--flip']).flip, true);
  });

  for (const args of [['--limit', '0'], ['--short-side', '1.5'], ['--modle', 'a'], ['scenes']]) {
    it(`refuses ${args.join(' ')}`, () => {
      throws(() => accuracyOptions(args), badOption);
    });
  }

  it('lets the long side grow with the short one', () => {
    const rule = { kind: 'short-side', shortSide: 160, longSide: 384 } as const;
    deepEqual(ruleOf(rule, 320), { kind: 'short-side', shortSide: 320, longSide: 768 });
    equal(ruleOf(rule, undefined), rule);
    throws(() => ruleOf({ kind: 'canvas', width: 1, height: 1, pad: 0 }, 320), badOption);
  });

  it('writes a dash where there is nothing to judge', () => {
    const figures = {
      miou: 0.5,
      apP50: null,
      apPVol: null,
      pcp50: null,
      apR50: null,
      apR: null,
      apRVol: null,
      foregroundIou: null,
      personAp50: null,
      link: null,
      linkByMask: null,
      linkedParts: 0,
      people: 0,
      classes: { Face: 0.25 },
    };
    const lines = table([{ name: 'model', figures }]);
    deepEqual(
      [lines[0], lines[1], lines[2], lines.at(-1)].map((line) => line!.trim().split(/ {2,}/)),
      [['model'], ['mIoU', '0.5000'], ['AP^p_50', '-'], ['IoU Face', '0.2500']],
    );
  });
});
