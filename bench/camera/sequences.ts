/** The drawn sequences below bench/sequences as frames of a camera, and who is in them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import sharp from 'sharp';
import { M2fpError } from '../../src/errors.ts';

const FOLDER = new URL('../sequences/', import.meta.url);

export interface CameraSequence {
  name: string;
  /** Of the pictures as they are sent, pixels. */
  width: number;
  height: number;
  frames: { image: Buffer; people: { id: number; area: number }[] }[];
}

interface Stored {
  width: number;
  height: number;
  frames: { file: string; people: { id: number; area: number }[] }[];
}

/**
 * All sequences, in the size of a camera.
 * @param width pixels; areas of people are in pixels of this size, too
 * @throws {M2fpError} `M2FP_NOTHING_FOUND` where none are drawn
 */
export async function cameraSequences(width: number): Promise<CameraSequence[]> {
  const names = (existsSync(FOLDER) ? readdirSync(FOLDER) : [])
    .filter((name) => name.endsWith('.json'))
    .toSorted();
  if (names.length === 0) {
    throw new M2fpError(
      'M2FP_NOTHING_FOUND',
      'bench/sequences holds no sequences: "python -m scenes.walks ../../bench/sequences" in models/training draws them.',
    );
  }
  return Promise.all(
    names.map(async (file) => {
      const stored = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Stored;
      const scale = width / stored.width;
      const frames = await Promise.all(
        stored.frames.map(async ({ file: picture, people }) => ({
          image: await enlarged(readFileSync(new URL(picture, FOLDER)), width),
          people: people.map(({ id, area }) => ({ id, area: area * scale * scale })),
        })),
      );
      return { name: file.replace(/\.json$/, ''), width, height: Math.round(stored.height * scale), frames };
    }),
  );
}

async function enlarged(image: Buffer, width: number): Promise<Buffer> {
  return sharp(image).resize(width).jpeg({ quality: 80 }).toBuffer();
}

/** So many pictures of a scene in which nothing moves, each with noise of its own, as sensors have it. */
export async function stillFrames(image: Buffer, count: number, sigma: number): Promise<Buffer[]> {
  const { width, height } = await sharp(image).metadata();
  return Promise.all(
    Array.from({ length: count }, async () => {
      const grain = await sharp({
        create: {
          width,
          height,
          channels: 3,
          background: 'grey',
          noise: { type: 'gaussian', mean: 128, sigma },
        },
      })
        .png({ compressionLevel: 0 })
        .toBuffer();
      // Laid over as light, around a grey that changes nothing.
      return sharp(image)
        .composite([{ input: grain, blend: 'hard-light' }])
        .jpeg({ quality: 80 })
        .toBuffer();
    }),
  );
}
