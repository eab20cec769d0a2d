/** Inputs for post-processing tests. */
import * as fc from 'fast-check';
import type { NetworkInput } from '../../src/image/types.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';

export const CIHP = [
  'Background',
  'Hat',
  'Hair',
  'Gloves',
  'Sunglasses',
  'UpperClothes',
  'Dress',
  'Coat',
  'Socks',
  'Pants',
  'Torso-skin',
  'Scarf',
  'Skirt',
  'Face',
  'Left-arm',
  'Right-arm',
  'Left-leg',
  'Right-leg',
  'Left-shoe',
  'Right-shoe',
  'Human',
];

/** A manifest with what post-processing reads of it. */
export function manifest(kind: 'multi' | 'single', labels: string[], scoreThreshold = 0.5): ModelManifest {
  const humanIndex = kind === 'multi' ? labels.length - 1 : null;
  return { id: 'test', kind, labels, humanIndex, scoreThreshold } as ModelManifest;
}

/** A network input with what post-processing reads of it; the picture fills it unless `crop` says otherwise. */
export function networkInput(
  network: { width: number; height: number },
  source: { width: number; height: number },
  crop: NetworkInput['crop'] = { x: 0, y: 0, ...network },
): NetworkInput {
  return {
    type: 'm2fp-input',
    ...network,
    crop,
    source: { ...source, image: Buffer.alloc(0) },
  } as NetworkInput;
}

/** Mask logits: a few soft ellipses and a bit of a wave on a negative ground. */
export function blobs(width: number, height: number): fc.Arbitrary<Float32Array> {
  const ellipse = fc.record({
    x: fc.double({ min: -2, max: width + 2, noNaN: true }),
    y: fc.double({ min: -2, max: height + 2, noNaN: true }),
    rx: fc.double({ min: 0.3, max: width, noNaN: true }),
    ry: fc.double({ min: 0.3, max: height, noNaN: true }),
    depth: fc.double({ min: 0.1, max: 25, noNaN: true }),
  });
  return fc
    .record({
      ellipses: fc.array(ellipse, { maxLength: 3 }),
      wave: fc.double({ min: 0, max: 2, noNaN: true }),
    })
    .map(({ ellipses, wave }) => {
      const data = new Float32Array(width * height);
      for (let i = 0; i < data.length; i++) {
        const x = i % width;
        const y = Math.floor(i / width);
        const inside = ellipses.map((e) => e.depth * (1 - ((x - e.x) / e.rx) ** 2 - ((y - e.y) / e.ry) ** 2));
        data[i] = Math.max(-15, ...inside) + wave * Math.sin(1.7 * x + 2.3 * y) - 0.05;
      }
      return data;
    });
}
