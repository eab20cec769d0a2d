/** Flip test-time augmentation with the real network: small checkpoints with random weights. */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { checkParseOptions } from '../../../src/engine/options.ts';
import { ruleFor } from '../../../src/engine/input-image.ts';
import { createPipeline, openPipeline, type Pipeline } from '../../../src/engine/child/pipeline.ts';
import type { ChildParsing } from '../../../src/engine/protocol.ts';
import { preprocess } from '../../../src/image/preprocess.ts';
import type { ModelManifest } from '../../../src/m2fp/manifest.ts';
import { mirroredLabels } from '../../../src/parsing/postprocess/flip.ts';
import { decodeRle } from '../../../src/parsing/masks/rle.ts';
import type { Session } from '../../../src/engine/child/session.ts';
import { readManifest } from '../../../src/store/manifest.ts';
import { manifest, networkInput } from '../../parsing/support.ts';
import { goldenCases, type Variant } from '../../support/golden.ts';
import { goldenModel, removeModels } from '../../support/model.ts';

/** Every row of a picture of `width` from right to left. */
function turned(map: Uint8Array, width: number): Uint8Array {
  return map.map((_, i) => map[i - (i % width) + width - 1 - (i % width)]!);
}

/** What is compared, in an order that does not hang on the last bit of a score. */
function regionsOf({ parts, persons, width }: ChildParsing, humanIndex: number | null) {
  const all = [...parts, ...persons.map((person) => ({ ...person, index: humanIndex! }))];
  const key = (mask: Uint8Array) => Buffer.from(mask).toString('latin1');
  return all.map(({ index, score, mask }) => {
    const bits = decodeRle(mask);
    return { index, score, own: key(bits), mirror: key(turned(bits, width)) };
  });
}

const scoresOf = (parsing: ChildParsing, humanIndex: number | null) =>
  regionsOf(parsing, humanIndex).map(({ index, score }) => [index, score]);

describe('flip test-time augmentation', function () {
  this.timeout(60_000);
  after(removeModels);

  // Of a size at which nothing is resized: Pillow's arithmetic does not commute with a mirror to the last bit. The
  // margins on the canvas, (384 - 151) / 2 and (512 - 200) / 2, are odd and even.
  const imageOf = (variant: Variant) => {
    const golden = goldenCases(variant, 'pipeline')[0]!;
    const { data, shape } = golden.tensor('image');
    const [height, width] = shape as [number, number];
    return sharp(Buffer.from(data), { raw: { width, height, channels: 3 } }).resize(151, 200, {
      fit: 'fill',
    });
  };

  for (const variant of ['multi', 'single'] as const) {
    describe(variant, () => {
      const sizes = variant === 'multi' ? { shortSide: 151, longSide: 400 } : {};
      let pipeline: Pipeline;
      let model: ModelManifest;
      let image: Buffer;
      let mirror: Buffer;

      before(async () => {
        const folder = await goldenModel(variant);
        model = await readManifest(folder);
        pipeline = await openPipeline(folder, model.digest, 1);
        image = await imageOf(variant).png().toBuffer();
        mirror = await sharp(image).flop().png().toBuffer();
      });
      after(() => pipeline.close());

      it('finds in the mirrored picture the mirror image of what it finds in the picture', async () => {
        const [a, b] = [
          await pipeline.parse(image, { ...sizes, flip: true }),
          await pipeline.parse(mirror, { ...sizes, flip: true }),
        ];
        const swapped = mirroredLabels(model.labels);
        assert.ok(
          b.labelMap.equals(turned(a.labelMap, a.width).map((label) => swapped[label]!)),
          'label map',
        );
        assert.ok(new Set(a.labelMap).size > 2, 'the picture has something to compare');
        const open = regionsOf(b, model.humanIndex);
        for (const { index, score, mirror: mask } of regionsOf(a, model.humanIndex)) {
          const at = open.findIndex(
            (other) =>
              other.index === swapped[index] && other.own === mask && Math.abs(other.score - score) < 1e-9,
          );
          assert.ok(at >= 0, `${model.labels[index]} of score ${score} has no mirror image`);
          open.splice(at, 1);
        }
        assert.deepEqual(open, []);
        if (variant === 'multi') {
          assert.ok(b.personMap.equals(turned(a.personMap, a.width)), 'person map');
        }
      });

      it('is another result than without, which is not symmetric', async () => {
        const plain = await pipeline.parse(image, sizes);
        const off = await pipeline.parse(image, { ...sizes, flip: false });
        const flipped = await pipeline.parse(image, { ...sizes, flip: true });
        assert.ok(off.labelMap.equals(plain.labelMap));
        assert.ok(!flipped.labelMap.equals(plain.labelMap));
        const other = await pipeline.parse(mirror, sizes);
        const swapped = mirroredLabels(model.labels);
        assert.ok(
          !other.labelMap.equals(turned(plain.labelMap, plain.width).map((label) => swapped[label]!)),
        );
      });

      it('takes what preprocess made too', async () => {
        const { input } = await preprocess(image, ruleFor(model.input, sizes));
        const fromInput = await pipeline.parse(input, { flip: true });
        const fromImage = await pipeline.parse(image, { ...sizes, flip: true });
        assert.ok(fromInput.labelMap.equals(fromImage.labelMap));
        assert.ok(fromInput.personMap.equals(fromImage.personMap));
        const known = model.humanIndex;
        assert.deepEqual(scoresOf(fromInput, known), scoresOf(fromImage, known));
      });
    });
  }

  it('is on or off', () => {
    assert.deepEqual(checkParseOptions({ flip: false }), { flip: false });
    assert.deepEqual(checkParseOptions({ flip: true }), { flip: true });
  });

  for (const flip of ['yes', 1, null]) {
    it(`refuses ${String(flip)}`, () => {
      assert.throws(() => checkParseOptions({ flip: flip as unknown as boolean }), {
        code: 'M2FP_BAD_OPTION',
        message: /"flip" is .*; allowed: true, false/,
      });
    });
  }

  it('shows the network the mirror image after the picture, and adds up both times', async () => {
    const seen: Buffer[] = [];
    const output = {
      logits: { data: new Float32Array(6), dims: [1, 6] },
      masks: { data: new Float32Array(64), dims: [1, 8, 8] },
    };
    const session: Session = {
      provider: 'cpu',
      fallback: null,
      run: async ({ data }) => ({ ...output, inferenceMs: 10 ** seen.push(data) }),
      close: async () => {},
    };
    const labels = ['Background', 'Hat', 'Left-arm', 'Right-arm', 'Human'];
    const pipeline = createPipeline(session, manifest('multi', labels));
    const input = { ...networkInput({ width: 2, height: 1 }, { width: 2, height: 1 }) };
    input.data = Buffer.from([1, 2, 3, 4, 5, 6]);
    assert.equal((await pipeline.parse(input, {})).timing.inference, 10);
    seen.length = 0;
    assert.equal((await pipeline.parse(input, { flip: true })).timing.inference, 110);
    assert.deepEqual(seen, [Buffer.from([1, 2, 3, 4, 5, 6]), Buffer.from([4, 5, 6, 1, 2, 3])]);
  });
});
