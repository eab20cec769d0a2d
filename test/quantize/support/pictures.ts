import sharp from 'sharp';

/** Draws a picture with something in it, different for each `seed`. */
export async function drawPicture(file: string, seed: number): Promise<void> {
  const [width, height] = [96, 80];
  const data = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => ((i * (seed + 3)) >> 4) ^ (i % (seed + 50)),
  );
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(file);
}
