import assert from 'node:assert/strict';
import { createPipeline } from '../../../src/engine/child/pipeline.ts';
import type { Session } from '../../../src/engine/child/session.ts';
import { blankImage } from '../../../src/engine/child/warm-up.ts';
import { loadSharp } from '../../../src/image/sharp.ts';
import { MANIFEST } from '../support/fakes.ts';

describe('warming up', () => {
  async function sizeOf(image: Buffer): Promise<[number, number]> {
    const sharp = await loadSharp();
    const { width, height } = await sharp(image).metadata();
    return [width, height];
  }

  it('takes a picture of the usual size of the model', async () => {
    const shortSide = (short: number, long: number) =>
      blankImage({ kind: 'short-side', shortSide: short, longSide: long });
    assert.deepEqual(await sizeOf(await shortSide(640, 1333)), [960, 640]);
    assert.deepEqual(await sizeOf(await shortSide(160, 200)), [200, 160]);
    const canvas = await blankImage({ kind: 'canvas', width: 384, height: 512, pad: 104 });
    assert.deepEqual(await sizeOf(canvas), [384, 512]);
  });

  it('goes the whole way through the session, once', async () => {
    const sizes: [number, number][] = [];
    const session: Session = {
      provider: 'cpu',
      fallback: null,
      async run({ width, height }) {
        sizes.push([width, height]);
        const { queries } = MANIFEST.hyperParameters.decoder;
        const logits = { data: new Float32Array(queries * 4), dims: [queries, 4] };
        const [h, w] = [height / 4, width / 4];
        return {
          inferenceMs: 1,
          logits,
          masks: { data: new Float32Array(queries * h * w), dims: [queries, h, w] },
        };
      },
      async close() {},
    };
    await createPipeline(session, MANIFEST).warmUp();
    assert.deepEqual(sizes, [[96, 64]]);
  });
});
