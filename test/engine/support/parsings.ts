/** A result as an engine gives it, without an engine. */
import type { Parsing } from '../../../src/parsing/types.ts';

/** One person and two parts in a picture of 400 x 250 pixels. */
export function exampleParsing(image: Buffer = Buffer.from('picture')): Parsing {
  const box = { x: 1, y: 2, width: 30, height: 40 };
  const mask = (counts: string) => ({ size: [250, 400] as [number, number], counts });
  return {
    image,
    width: 400,
    height: 250,
    labels: ['Background', 'Face', 'Human'],
    labelMap: Buffer.alloc(100_000, 1),
    personMap: Buffer.alloc(100_000, 1),
    persons: [{ id: 1, score: 0.9, box: { ...box }, area: 300, mask: mask('a'.repeat(300)) }],
    parts: [1, 2].map((id) => ({
      id,
      label: 'Face',
      index: 1,
      person: 1,
      score: 0.5,
      box: { ...box },
      area: 100,
      mask: mask('b'.repeat(100 * id)),
    })),
    doubtful: { persons: [], parts: [] },
    model: { id: 'test/model', digest: 'd1'.repeat(32), precision: 'fp32', provider: 'cpu' },
    cached: false,
    timing: { queue: 1, decode: 2, preprocess: 3, inference: 4, postprocess: 5, total: 15 },
  };
}
