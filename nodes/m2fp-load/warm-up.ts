/** A picture for nothing but the time that the first one takes. */
import { type NetworkInput, targetSize } from '../../src/image/index.ts';
import type { InputRule } from '../../src/m2fp/manifest.ts';

/** Network input of a black 640 x 480 picture. */
export function blankInput(rule: InputRule): NetworkInput {
  const source = { image: Buffer.alloc(0), width: 640, height: 480 };
  const size = targetSize(rule, source.width, source.height);
  return { type: 'm2fp-input', ...size, data: Buffer.alloc(size.width * size.height * 3), rule, source };
}
