/**
 * From the picture to the result, through the real child process on each of the builds of onnxruntime, against what
 * ModelScope's pipeline returned.
 */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { acquireEngine, shutdownEngines, type ParseOptions } from '../../../src/engine/index.ts';
import { toModelScope } from '../../../src/parsing/modelscope.ts';
import { decodeRle } from '../../../src/parsing/masks/rle.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { goldenCases, type GoldenCase, type Variant } from '../../support/golden.ts';
import { goldenModel, removeModels } from '../../support/model.ts';
import { refuseNativeRuntime } from '../support/wasm.ts';

/** The bounds of test/golden/README.md. */
const SCORE = 2e-3;
const IOU = 0.99;
const EQUAL_PIXELS = 0.998;

async function parse(golden: GoldenCase, options: ParseOptions): Promise<Parsing> {
  const { data, shape } = golden.tensor('image');
  const [height, width] = shape as [number, number];
  const image = await sharp(Buffer.from(data), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const lease = await acquireEngine({ model: await goldenModel(golden.variant) });
  try {
    return await lease.engine.parse({ image, options });
  } finally {
    lease.release();
  }
}

/** Mask `index` of numpy.packbits rows, most significant bit first. */
function unpackedMask(
  packed: ArrayLike<number>,
  rowBytes: number,
  index: number,
  pixels: number,
): Uint8Array {
  return Uint8Array.from(
    { length: pixels },
    (_, p) => (packed[index * rowBytes + (p >> 3)]! >> (7 - (p & 7))) & 1,
  );
}

function intersectionOverUnion(a: Uint8Array, b: Uint8Array): number {
  let both = 0;
  let either = 0;
  for (let p = 0; p < a.length; p++) {
    both += a[p]! & b[p]!;
    either += a[p]! | b[p]!;
  }
  return both / either;
}

for (const provider of ['cpu', 'wasm']) {
  describe(`the whole way, from the picture (${provider})`, function () {
    this.timeout(60_000);
    if (provider === 'wasm') refuseNativeRuntime();
    after(async () => {
      await shutdownEngines();
      await removeModels();
    });

    for (const golden of goldenCases('multi' satisfies Variant, 'pipeline')) {
      it(`finds the same parts and persons: multi/${golden.name}`, async () => {
        const [shortSide, longSide] = golden.meta.min_max_size ?? [];
        const parsing = await parse(golden, { shortSide, longSide });
        assert.equal(parsing.model.provider, provider);
        const { labels, scores, masks } = toModelScope(parsing);
        const expected = golden.meta;
        assert.deepEqual(labels.toSorted(), expected.labels!.toSorted());
        assert.equal(parsing.parts.length, expected.num_parts);
        assert.equal(parsing.persons.length, expected.num_humans);

        const { data: packed, shape } = golden.tensor('masks_packed');
        const pixels = parsing.width * parsing.height;
        const found = labels.map((label, i) => ({ label, score: scores[i]!, mask: decodeRle(masks[i]!) }));
        expected.labels!.forEach((label, i) => {
          const mask = unpackedMask(packed, shape[1]!, i, pixels);
          const match = found.findIndex(
            (candidate) =>
              candidate.label === label &&
              Math.abs(candidate.score - expected.scores![i]!) <= SCORE &&
              intersectionOverUnion(candidate.mask, mask) >= IOU,
          );
          assert.ok(match >= 0, `${label} with score ${expected.scores![i]} is not found`);
          found.splice(match, 1);
        });
      });
    }

    for (const golden of goldenCases('single', 'pipeline')) {
      it(`finds the same label map: single/${golden.name}`, async () => {
        const parsing = await parse(golden, {});
        assert.equal(parsing.model.provider, provider);
        const expected = golden.tensor('label_map').data;
        assert.equal(parsing.labelMap.length, expected.length);
        const equal = parsing.labelMap.reduce((sum, label, p) => sum + Number(label === expected[p]), 0);
        assert.ok(equal / expected.length >= EQUAL_PIXELS, `${equal} of ${expected.length} pixels are equal`);
        const { labels, scores } = toModelScope(parsing);
        assert.deepEqual(labels, golden.meta.labels);
        scores.forEach((score, i) => assert.ok(Math.abs(score - golden.meta.scores![i]!) <= SCORE));
      });
    }
  });
}
