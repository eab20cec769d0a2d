/** Ten people in full HD, for what a frame costs: those of drawn frames, side by side, twice as large. */
import sharp from 'sharp';
import { decodeRle, encodeRle } from '../../src/parsing/masks/rle.ts';
import type { Parsing, Part, Person } from '../../src/parsing/types.ts';
import { readSequence } from './sequences.ts';

const WIDTH = 1920;
const HEIGHT = 1080;
/** Tiles of a picture. */
const TILES = 2;

/** Some frames of parsings with ten people. */
export async function crowdOf(): Promise<Parsing[]> {
  const { frames } = readSequence('crowd', 5);
  const chosen = frames.filter(({ parsing }) => parsing.persons.length === 5).slice(0, 8);
  return Promise.all(chosen.map(({ parsing }) => doubled(parsing)));
}

async function doubled(parsing: Parsing): Promise<Parsing> {
  const tileWidth = WIDTH / TILES;
  const tile = await sharp(parsing.image).resize(tileWidth, HEIGHT, { fit: 'fill' }).toBuffer();
  const image = await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#444' } })
    .composite(Array.from({ length: TILES }, (_, at) => ({ input: tile, left: at * tileWidth, top: 0 })))
    .jpeg({ quality: 90 })
    .toBuffer();
  const labelMap = Buffer.alloc(WIDTH * HEIGHT);
  const personMap = Buffer.alloc(WIDTH * HEIGHT);
  const persons: Person[] = [];
  const parts: Part[] = [];
  for (let at = 0; at < TILES; at++) {
    const grow = <R extends Person | Part>(region: R, paint: (pixel: number) => void): R => {
      const mask = decodeRle(region.mask);
      const bytes = new Uint8Array(WIDTH * HEIGHT);
      let area = 0;
      for (let y = 0; y < HEIGHT; y++) {
        const row = Math.floor((y * parsing.height) / HEIGHT) * parsing.width;
        for (let x = 0; x < tileWidth; x++) {
          if (mask[row + Math.floor((x * parsing.width) / tileWidth)] === 0) continue;
          const pixel = y * WIDTH + at * tileWidth + x;
          bytes[pixel] = 1;
          area++;
          paint(pixel);
        }
      }
      const [across, down] = [tileWidth / parsing.width, HEIGHT / parsing.height];
      const { x, y, width, height } = region.box;
      const left = Math.floor(x * across) + at * tileWidth;
      const box = {
        x: left,
        y: Math.floor(y * down),
        width: Math.min(Math.ceil(width * across), WIDTH - left),
        height: Math.min(Math.ceil(height * down), HEIGHT - Math.floor(y * down)),
      };
      return { ...region, box, area, mask: encodeRle(bytes, WIDTH, HEIGHT) };
    };
    const offset = persons.length;
    for (const part of parsing.parts) {
      const grown = grow(part, (pixel) => (labelMap[pixel] = part.index));
      parts.push({ ...grown, id: parts.length + 1, person: part.person! + offset });
    }
    for (const person of parsing.persons) {
      const id = person.id + offset;
      persons.push({ ...grow(person, (pixel) => (personMap[pixel] = id)), id });
    }
  }
  return { ...parsing, image, width: WIDTH, height: HEIGHT, labelMap, personMap, persons, parts };
}
