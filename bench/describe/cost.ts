/** What describing costs at the size of a camera's pictures. */
import sharp from 'sharp';
import { costOf, type StageCost } from '../stage-cost.ts';
import { decodeRle, encodeRle } from '../../src/parsing/masks/rle.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { describe } from '../../src/people/describe/describe.ts';
import { readWardrobe, trueParsing, type WardrobeScene, wardrobeImage } from './wardrobe.ts';

export interface Cost extends StageCost {
  persons: number;
}

const [WIDTH, HEIGHT] = [1920, 1080];
const PERSONS = 10;

export async function measureCost(): Promise<Cost> {
  const parsing = await crowd();
  return { persons: parsing.persons.length, ...(await costOf(() => describe(parsing))) };
}

/** Ten people of the wardrobe side by side, each scene as large as half the picture's height. */
async function crowd(): Promise<Parsing> {
  const side = HEIGHT / 2;
  const chosen: WardrobeScene[] = [];
  for (const scene of await readWardrobe()) {
    const count = chosen.reduce((sum, { persons }) => sum + persons.length, 0);
    if (chosen.length < 6 && count + scene.persons.length <= PERSONS) chosen.push(scene);
  }
  const tiles = await Promise.all(
    chosen.map(async (scene, i) => {
      const left = (i % 3) * side;
      const top = Math.floor(i / 3) * side;
      const image = await wardrobeImage(scene, scene.lights[0]!);
      return { scene, left, top, input: await sharp(image).resize(side, side).toBuffer() };
    }),
  );
  const image = await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#888888' } })
    .composite(tiles.map(({ left, top, input }) => ({ left, top, input })))
    .jpeg({ quality: 88 })
    .toBuffer();
  let person = 0;
  const scene: WardrobeScene = {
    name: 'crowd',
    width: WIDTH,
    height: HEIGHT,
    lights: [],
    persons: [],
    parts: [],
  };
  for (const { scene: tile, left, top } of tiles) {
    const first = person;
    const place = (mask: WardrobeScene['parts'][number]['mask']) => enlarged(mask, side, left, top);
    scene.persons.push(...tile.persons.map(({ mask }) => ({ person: ++person, mask: place(mask) })));
    const numbers = new Map(tile.persons.map(({ person: number }, i) => [number, first + i + 1]));
    scene.parts.push(
      ...tile.parts.map((part) => ({ ...part, person: numbers.get(part.person)!, mask: place(part.mask) })),
    );
  }
  return trueParsing(scene, image);
}

/** A mask of a square scene, as large as `side`, at a place of the large picture. */
function enlarged(
  mask: WardrobeScene['parts'][number]['mask'],
  side: number,
  left: number,
  top: number,
): WardrobeScene['parts'][number]['mask'] {
  const small = decodeRle(mask);
  const [height, width] = mask.size;
  const large = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = Math.floor((y * height) / side) * width + Math.floor((x * width) / side);
      large[(top + y) * WIDTH + left + x] = small[from]!;
    }
  }
  return encodeRle(large, WIDTH, HEIGHT);
}
