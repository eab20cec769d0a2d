import assert from 'node:assert/strict';
import sharp from 'sharp';
import { isSrgbProfile } from '../../../src/image/formats/icc.ts';

/** A profile of type `mntr` with these tags. */
function profile(space: 'RGB ' | 'GRAY', tags: Record<string, Buffer>): Buffer {
  const names = Object.keys(tags);
  const head = Buffer.alloc(128 + 4 + 12 * names.length);
  head.write('mntr', 12, 'latin1');
  head.write(space, 16, 'latin1');
  head.writeUInt32BE(names.length, 128);
  let offset = head.length;
  names.forEach((name, i) => {
    const at = 132 + 12 * i;
    head.write(name, at, 'latin1');
    head.writeUInt32BE(offset, at + 4);
    head.writeUInt32BE(tags[name]!.length, at + 8);
    offset += tags[name]!.length;
  });
  return Buffer.concat([head, ...Object.values(tags)]);
}

function fixed(type: string, start: readonly number[], values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + start.length * 2 + values.length * 4);
  bytes.write(type, 0, 'latin1');
  start.forEach((value, i) => bytes.writeUInt16BE(value, 8 + 2 * i));
  values.forEach((value, i) => bytes.writeInt32BE(Math.round(value * 65536), 8 + start.length * 2 + 4 * i));
  return bytes;
}

const xyz = (...values: number[]): Buffer => fixed('XYZ ', [], values);
const para = (type: number, ...values: number[]): Buffer => fixed('para', [type, 0], values);

/** A `curv` of as many entries as there are values, 0..65535; of one value: gamma x 256. */
function curv(...values: number[]): Buffer {
  const bytes = Buffer.alloc(12 + values.length * 2);
  bytes.write('curv', 0, 'latin1');
  bytes.writeUInt32BE(values.length, 8);
  values.forEach((value, i) => bytes.writeUInt16BE(value, 12 + 2 * i));
  return bytes;
}

/** IEC 61966-2-1. */
const srgb = (x: number): number => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
const TABLE = curv(...Array.from({ length: 1024 }, (_, i) => Math.round(srgb(i / 1023) * 65535)));
const PARAMETRIC = para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045);

function rgb(curve: Buffer, red = xyz(0.4361, 0.2225, 0.0139)): Buffer {
  const primaries = { rXYZ: red, gXYZ: xyz(0.3851, 0.7169, 0.0971), bXYZ: xyz(0.1431, 0.0606, 0.7141) };
  return profile('RGB ', { ...primaries, rTRC: curve, gTRC: curve, bTRC: curve });
}

describe('isSrgbProfile', () => {
  for (const [name, curve] of Object.entries({
    'a table': TABLE,
    'a formula': PARAMETRIC,
    'the five-parameter formula': para(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0, 0),
    'gamma 2.2': curv(Math.round(2.2 * 256)),
    'gamma 2.2 as a formula': para(0, 2.2),
  })) {
    it(`is true for sRGB's primaries with ${name}`, () => {
      assert.equal(isSrgbProfile(rgb(curve)), true);
      assert.equal(isSrgbProfile(profile('GRAY', { kTRC: curve })), true);
    });
  }

  for (const [name, curve] of Object.entries({
    'linear light': curv(),
    'gamma 1.8': curv(Math.round(1.8 * 256)),
    'gamma 2.6': para(0, 2.6),
    'a curve of unknown type': xyz(1, 1, 1),
  })) {
    it(`is false for ${name}`, () => {
      assert.equal(isSrgbProfile(rgb(curve)), false);
      assert.equal(isSrgbProfile(profile('GRAY', { kTRC: curve })), false);
    });
  }

  it('is false for other primaries', () => {
    assert.equal(isSrgbProfile(rgb(PARAMETRIC, xyz(0.5151, 0.2412, -0.0011))), false, 'Display P3');
    assert.equal(isSrgbProfile(rgb(PARAMETRIC, xyz(0.6097, 0.3111, 0.0195))), false, 'Adobe RGB');
  });

  it('is false where a table overrides the primaries', () => {
    const tags = { rXYZ: xyz(0.4361, 0.2225, 0.0139), gXYZ: xyz(0.3851, 0.7169, 0.0971), bXYZ: xyz(0.1431, 0.0606, 0.7141) }; // prettier-ignore
    const curves = { rTRC: TABLE, gTRC: TABLE, bTRC: TABLE };
    assert.equal(isSrgbProfile(profile('RGB ', { ...tags, ...curves })), true);
    assert.equal(isSrgbProfile(profile('RGB ', { ...tags, ...curves, A2B0: Buffer.alloc(32) })), false);
  });

  for (const [name, expected] of Object.entries({ srgb: true, p3: false })) {
    it(`tells sharp's own profiles apart: ${name}`, async () => {
      const image = sharp({ create: { width: 2, height: 2, channels: 3, background: '#fff' } });
      const { icc } = await sharp(await image.withIccProfile(name).png().toBuffer()).metadata();
      assert.equal(isSrgbProfile(icc!), expected, name);
    });
  }

  it('is false for what cannot be read', () => {
    assert.equal(isSrgbProfile(Buffer.alloc(500, 0xff)), false);
  });

  for (const length of [0, 10, 131, 140, 200, 230]) {
    it(`is false for the first ${length} bytes of a profile`, () => {
      const whole = rgb(TABLE);
      assert.equal(isSrgbProfile(whole.subarray(0, length)), false, `${length} bytes`);
    });
  }
});
