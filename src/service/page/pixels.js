// What the pixels of an answer are.
export function canvasOf(picture, width, height) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  canvas.getContext('2d', { willReadFrequently: true }).drawImage(picture, 0, 0, width, height);
  return canvas;
}

/** The red, green, blue and alpha of each pixel of a PNG, as they stand in it. */
export async function pixelsOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }), {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  });
  const { width, height } = bitmap;
  return canvasOf(bitmap, width, height).getContext('2d').getImageData(0, 0, width, height).data;
}

/** The pixels of a mask in COCO's compressed run-length encoding, as rows: 1 inside. */
function pixelsOfMask({ size: [height, width], counts }) {
  const pixels = new Uint8Array(width * height);
  const lengths = [];
  for (let at = 0, index = 0; at < counts.length; index++) {
    let value = 0;
    let shift = 0;
    let group;
    do {
      group = counts.charCodeAt(at++) - 48;
      value |= (group & 31) << shift;
      shift += 5;
    } while (group & 32);
    if (group & 16) value |= -1 << shift;
    lengths.push(index > 2 ? value + lengths[index - 2] : value);
  }
  let position = 0;
  lengths.forEach((length, index) => {
    // Pixels are counted column by column.
    if (index % 2 === 1)
      for (let at = position; at < position + length; at++)
        pixels[(at % height) * width + Math.floor(at / height)] = 1;
    position += length;
  });
  return pixels;
}

/** The person that each part in the label map belongs to; 0 for nobody. Of two, the one that is surer is on top. */
export function personsOf({ parts, width, height }, labelOf) {
  const persons = new Uint8Array(width * height);
  for (const { person, index, mask } of parts
    .filter((part) => part.person !== null)
    .toSorted((a, b) => a.score - b.score)) {
    pixelsOfMask(mask).forEach((inside, at) => {
      if (inside && labelOf[4 * at] === index) persons[at] = person;
    });
  }
  return persons;
}
