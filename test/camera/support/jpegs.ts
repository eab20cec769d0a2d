/** JPEGs of cameras, drawn. */
import sharp from 'sharp';

/** A JPEG of one colour with a number in its pixels' colour, so that no two are the same. */
export async function jpegOf(number: number, width = 64, height = 48): Promise<Buffer> {
  const background = { r: (number * 37) % 256, g: (number * 91) % 256, b: 128 };
  return sharp({ create: { width, height, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

/** A JPEG of noise: its coded data has every byte, and stuffed 0xff. */
export async function noisyJpeg(width = 320, height = 240): Promise<Buffer> {
  return sharp({
    create: {
      width,
      height,
      channels: 3,
      background: 'grey',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  })
    .jpeg({ quality: 95 })
    .toBuffer();
}
