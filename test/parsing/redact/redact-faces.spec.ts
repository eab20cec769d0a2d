/** How much of the faces of people who were seen stays visible, with the bundled model on drawn scenes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { listScenes, readScene } from '../../../bench/accuracy/scenes.ts';
import { openPipeline, type Pipeline } from '../../../src/engine/child/pipeline.ts';
import { decodeRle } from '../../../src/parsing/index.ts';
import { redact } from '../../../src/parsing/redact/redact.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { bundled } from '../../support/bundled.ts';
import { FACE } from '../../support/sample.ts';

const SCENES = join(import.meta.dirname, '..', '..', '..', 'bench', 'scenes');
/** Pixels of a scene's face that is one. */
const LEAST_FACE = 64;

interface Faces {
  pixels: number;
  visible: number;
  /** Faces, and those of which hardly anything is hidden. */
  faces: number;
  whole: number;
}

describe('redact, on drawn scenes', function () {
  this.timeout(300_000);
  let pipeline: Pipeline;
  before(async () => {
    pipeline = await openPipeline(bundledModelFolder(), bundled.digest, 2);
  });
  after(() => pipeline.close());

  /** Faces of people at least half of whom lies in what was found of people, in every `step`-th scene, changed by `change`. */
  async function look(
    step: number,
    change: (image: Sharp, kernel: 'nearest' | 'lanczos3') => Sharp,
  ): Promise<Faces> {
    const total: Faces = { pixels: 0, visible: 0, faces: 0, whole: 0 };
    const files = (await listScenes(SCENES)).filter((_, i) => i % step === 0);
    for (const file of files) {
      const { image, truth } = await readScene(SCENES, file);
      const changed = await change(sharp(image), 'lanczos3').png().toBuffer();
      const mapOf = (values: Uint16Array): Promise<Buffer> => {
        const raw = { width: truth.width, height: truth.height, channels: 1 as const };
        return change(sharp(Uint8Array.from(values), { raw }), 'nearest')
          .toColorspace('b-w')
          .raw()
          .toBuffer();
      };
      const [labels, people] = [await mapOf(truth.categories), await mapOf(truth.persons)];
      const found = await pipeline.parse(changed, { scoreThreshold: 0.5 });
      const parsing = { ...found, image: changed, model: { ...bundled, provider: 'cpu' }, cached: false };
      await add(total, parsing as unknown as Parsing, labels, people, truth.width * truth.height);
    }
    return total;
  }

  async function add(
    total: Faces,
    parsing: Parsing,
    labels: Buffer,
    people: Buffer,
    pixels: number,
  ): Promise<void> {
    const seen = new Uint8Array(labels.length);
    for (const { mask } of [...parsing.persons, ...parsing.doubtful.persons]) {
      decodeRle(mask).forEach((inside, p) => (seen[p]! |= inside));
    }
    const { image } = await redact(parsing, { method: 'remove' });
    const alpha = await sharp(image).ensureAlpha().extractChannel('alpha').raw().toBuffer();
    const persons = new Map<number, { area: number; seen: number; face: number; visible: number }>();
    people.forEach((id, p) => {
      if (id === 0) return;
      const person = persons.get(id) ?? { area: 0, seen: 0, face: 0, visible: 0 };
      persons.set(id, person);
      person.area++;
      person.seen += seen[p]!;
      if (labels[p] !== FACE) return;
      person.face++;
      if (alpha[p] !== 0) person.visible++;
    });
    for (const person of persons.values()) {
      if (person.seen < person.area / 2) continue;
      total.pixels += person.face;
      total.visible += person.visible;
      if (person.face < (LEAST_FACE * labels.length) / pixels) continue;
      total.faces++;
      if (person.visible > 0.9 * person.face) total.whole++;
    }
  }

  for (const [side, step] of [
    [320, 8],
    [1920, 24],
  ] as const) {
    it(`leaves at most 0.05 % of the face pixels visible at ${side} pixels`, async () => {
      const faces = await look(step, (image, kernel) => image.resize(side, side, { fit: 'fill', kernel }));
      assert.equal(faces.whole, 0);
      assert.ok(faces.faces > 3);
      assert.ok(faces.visible <= 0.0005 * faces.pixels, `${faces.visible} of ${faces.pixels}`);
    });
  }

  for (const degrees of [90, 180, 270]) {
    it(`leaves hardly a whole face visible in scenes that are turned by ${degrees} degrees`, async () => {
      const { faces, whole } = await look(12, (image) => image.rotate(degrees));
      assert.ok(faces > 8);
      assert.ok(whole <= 1, `${whole} of ${faces}`);
    });
  }
});
