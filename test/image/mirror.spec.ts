import assert from 'node:assert/strict';
import sharp from 'sharp';
import { mirrorInput } from '../../src/image/mirror.ts';
import { preprocess, preprocessRaw } from '../../src/image/preprocess.ts';
import type { InputRule } from '../../src/m2fp/manifest.ts';
import { noisePng } from './support.ts';

const CANVAS: InputRule = { kind: 'canvas', width: 12, height: 16, pad: 128 };

describe('mirrorInput', () => {
  for (const [name, rule, width, height] of [
    ['a canvas with even margins', CANVAS, 8, 10],
    ['a canvas with odd margins', CANVAS, 7, 9],
    ['a picture that fills its input', { kind: 'short-side', shortSide: 10, longSide: 20 }, 13, 10],
  ] as const) {
    it(`gives what preprocess makes of the mirrored picture: ${name}`, async () => {
      const png = noisePng(width, height);
      // None of these is resized: Pillow's arithmetic does not commute with a mirror to the last bit.
      const { input } = await preprocess(png, rule);
      const turned = await sharp(png).flop().removeAlpha().raw().toBuffer();
      const expected = await preprocessRaw({ width, height, channels: 3, data: turned }, png, rule);
      const before = Buffer.from(input.data);
      const mirrored = mirrorInput(input);
      assert.deepEqual(mirrored, expected);
      assert.notDeepEqual(mirrored.data, before);
      assert.deepEqual(input.data, before, 'the input itself stays as it was');
      assert.deepEqual(mirrorInput(mirrored), input);
    });
  }
});
