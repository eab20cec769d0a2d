/** A picture for nothing but the time that the first one takes. */
import type { NetworkInput } from '../../src/image/types.ts';
import type { InputRule } from '../../src/m2fp/manifest.ts';

/** Network input of the size that pictures will have, all black. */
export function blankInput(rule: InputRule): NetworkInput {
  const width = rule.kind === 'canvas' ? rule.width : rule.shortSide;
  const height = rule.kind === 'canvas' ? rule.height : rule.shortSide;
  return {
    type: 'm2fp-input',
    width,
    height,
    data: Buffer.alloc(width * height * 3),
    crop: { x: 0, y: 0, width, height },
    rule,
    source: { image: Buffer.alloc(0), width, height },
  };
}
