import assert from 'node:assert/strict';
import sharp, { type Sharp } from 'sharp';
import { insideOf, type Polygon } from '../../../src/camera/motion/areas.ts';
import { changedShare } from '../../../src/camera/motion/change.ts';
import { MotionGate } from '../../../src/camera/motion/motion-gate.ts';

/** A yard of 1280 x 720, at 640 x 360: sky, house, ground, a bush; and what the svg says in it. */
function yard(svg = '', light = 1): Sharp {
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360" viewBox="0 0 1280 720">
    <rect width="1280" height="300" fill="#9bb7d4"/><rect y="300" width="1280" height="420" fill="#6f7566"/>
    <rect x="700" y="120" width="400" height="330" fill="#a58d77"/><rect x="780" y="250" width="80" height="200" fill="#503c30"/>
    <circle cx="150" cy="330" r="110" fill="#3f5b33"/>${svg}</svg>`;
  return sharp(Buffer.from(picture)).linear(light, 0);
}

const person = (x: number, height: number, coat = '#7a2430'): string => {
  const unit = height / 8;
  return `<g><circle cx="${x}" cy="${500 - unit * 7.4}" r="${unit * 0.5}" fill="#d9a884"/>
    <rect x="${x - unit}" y="${500 - unit * 6.8}" width="${unit * 2}" height="${unit * 3.2}" fill="${coat}"/>
    <rect x="${x - unit * 0.8}" y="${500 - unit * 3.6}" width="${unit * 1.6}" height="${unit * 3.6}" fill="#222b3d"/></g>`;
};

/** Normally distributed, around 0. */
const GRAIN = Float32Array.from({ length: 2 ** 18 }, () => {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
  return radius * Math.cos(2 * Math.PI * Math.random());
});

/** As a camera sends it: noisy, JPEG. */
async function shot(picture: Sharp, sigma = 6): Promise<Buffer> {
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  let at = Math.floor(Math.random() * GRAIN.length);
  for (let i = 0; i < data.length; i++) {
    if (++at >= GRAIN.length) at = Math.floor(Math.random() * 1000);
    data[i] = Math.max(0, Math.min(255, data[i]! + GRAIN[at]! * sigma));
  }
  const { width, height } = info;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 75 })
    .toBuffer();
}

const OPTIONS = { share: 0.002, threshold: 15, ignored: [] as Polygon[] };

describe('MotionGate', () => {
  const compare = async (first: Buffer, second: Buffer, options = OPTIONS): Promise<boolean> => {
    const gate = new MotionGate(options);
    assert.equal(await gate.hasMoved(first), true, 'the first picture goes out');
    await gate.pass(first);
    return gate.hasMoved(second);
  };

  for (const sigma of [0.5, 6, 20]) {
    it(`sees nothing move in noise of ${sigma} grey levels`, async () => {
      assert.equal(await compare(await shot(yard(), sigma), await shot(yard(), sigma)), false);
    });
  }

  for (const light of [0.6, 0.8, 1.2]) {
    it(`does not take a change of the light to ${light} for motion, and sees a person in it`, async () => {
      const before = await shot(yard());
      assert.equal(await compare(before, await shot(yard('', light))), false);
      assert.equal(await compare(before, await shot(yard(person(500, 180), light))), true);
    });
  }

  for (const [name, height] of [
    ['near', 400],
    ['across the yard', 180],
    ['far away', 90],
  ] as const) {
    it(`sees a person come, walk on and go who is ${name}`, async () => {
      const empty = await shot(yard());
      const there = await shot(yard(person(400, height)));
      const further = await shot(yard(person(400 + height / 2, height)));
      assert.equal(await compare(empty, there), true);
      assert.equal(await compare(there, further), true);
      assert.equal(await compare(there, empty), true);
      assert.equal(await compare(there, await shot(yard(person(400, height)))), false);
    });
  }

  it('sees what moves slowly, since it compares with what went out last', async () => {
    const gate = new MotionGate(OPTIONS);
    await gate.pass(await shot(yard(person(300, 180))));
    let seen = 0;
    for (let x = 301; x <= 340; x += 3)
      if (await gate.hasMoved(await shot(yard(person(x, 180))))) seen = seen || x;
    assert.ok(seen > 0 && seen < 340, String(seen));
  });

  it('does not count areas that are left out, and counts all others', async () => {
    const bush: Polygon = [
      [0, 0.2],
      [0.25, 0.2],
      [0.25, 0.75],
      [0, 0.75],
    ];
    const windy = await shot(yard('<circle cx="185" cy="345" r="110" fill="#55743f"/>'));
    const before = await shot(yard());
    assert.equal(await compare(before, windy), true);
    const options = { ...OPTIONS, ignored: [bush] };
    assert.equal(await compare(before, windy, options), false);
    assert.equal(await compare(before, await shot(yard(person(150, 180))), options), false);
    assert.equal(await compare(before, await shot(yard(person(500, 180))), options), true);
  });

  it('sees a picture of another size as another one', async () => {
    const small = await sharp(await shot(yard()))
      .resize(320, 100, { fit: 'fill' })
      .jpeg()
      .toBuffer();
    assert.equal(await compare(await shot(yard()), small), true);
  });

  it('fails for what is no picture', async () => {
    await assert.rejects(new MotionGate(OPTIONS).hasMoved(Buffer.from('no picture')));
  });
});

describe('insideOf', () => {
  it('marks the pixels whose centres lie in one of the polygons', () => {
    const triangle: Polygon = [
      [0, 0],
      [1, 0],
      [0, 1],
    ];
    const rows = (polygons: Polygon[]): string[] => {
      const inside = insideOf(polygons, 4, 4);
      return [0, 1, 2, 3].map((y) => inside.subarray(y * 4, y * 4 + 4).join(''));
    };
    assert.deepEqual(rows([triangle]), ['1110', '1100', '1000', '0000']);
    const square: Polygon = [
      [0.5, 0.5],
      [2, 0.5],
      [2, 2],
      [0.5, 2],
    ];
    assert.deepEqual(rows([triangle, square]), ['1110', '1100', '1011', '0011']);
    assert.deepEqual(rows([]), ['0000', '0000', '0000', '0000']);
    assert.deepEqual(rows([[]]), ['0000', '0000', '0000', '0000']);
  });
});

describe('changedShare', () => {
  const grey = (fill: (x: number, y: number) => number) => ({
    width: 20,
    height: 10,
    pixels: Uint8Array.from({ length: 200 }, (_, i) => fill(i % 20, Math.floor(i / 20))),
  });

  it('counts what changed together, of what counts', () => {
    const before = grey((x) => 50 + x * 5);
    const now = grey((x, y) => (x < 4 && y < 5 ? 220 : 50 + x * 5));
    assert.equal(changedShare(before, now, 15), 20 / 200);
    const ignored = Uint8Array.from({ length: 200 }, (_, i) => (i % 20 >= 10 ? 1 : 0));
    assert.equal(changedShare(before, now, 15, ignored), 20 / 100);
    assert.equal(changedShare(before, now, 15, new Uint8Array(200).fill(1)), 0);
  });

  it('does not count pixels that changed alone', () => {
    const before = grey((x) => 50 + x * 5);
    const now = grey((x, y) => (x % 3 === 0 && y % 3 === 0 ? 250 : 50 + x * 5));
    assert.equal(changedShare(before, now, 15), 0);
  });
});
