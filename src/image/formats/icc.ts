/** Reads just enough of an ICC profile to see that it is sRGB under another name. */

/** D50 colorants of sRGB (IEC 61966-2-1, adapted by Bradford): the columns X, Y, Z of red, green and blue. */
const SRGB_COLORANTS = {
  rXYZ: [0.4361, 0.2225, 0.0139],
  gXYZ: [0.3851, 0.7169, 0.0971],
  bXYZ: [0.1431, 0.0606, 0.7141],
} as const;

/** sRGB's curve at these inputs; a plain gamma of 2.2 stays within the tolerance, 1.8 and linear light do not. */
const SRGB_CURVE = [
  [0.25, 0.0509],
  [0.5, 0.214],
  [0.75, 0.5225],
] as const;

const COLORANT_TOLERANCE = 0.005;
const CURVE_TOLERANCE = 0.012;

const HEADER_BYTES = 128;

const fixed = (bytes: Buffer, at: number): number => bytes.readInt32BE(at) / 65536;

/** The data of a tag, null where the profile has none of that name. */
function tag(icc: Buffer, name: string): Buffer | null {
  const count = Math.min(icc.readUInt32BE(HEADER_BYTES), 100);
  for (let i = 0; i < count; i++) {
    const at = HEADER_BYTES + 4 + i * 12;
    if (icc.toString('latin1', at, at + 4) !== name) continue;
    const offset = icc.readUInt32BE(at + 4);
    return icc.subarray(offset, offset + icc.readUInt32BE(at + 8));
  }
  return null;
}

/** The value of a `curv` or `para` curve at `x` (0..1), NaN for other types. ICC.1:2022, 10.6 and 10.18. */
function curveAt(curve: Buffer, x: number): number {
  const type = curve.toString('latin1', 0, 4);
  if (type === 'curv') {
    const count = curve.readUInt32BE(8);
    if (count === 0) return x;
    if (count === 1) return x ** (curve.readUInt16BE(12) / 256);
    return curve.readUInt16BE(12 + 2 * Math.round(x * (count - 1))) / 65535;
  }
  if (type !== 'para') return NaN;
  const parameter = (i: number): number => fixed(curve, 12 + 4 * i);
  const gamma = parameter(0);
  switch (curve.readUInt16BE(8)) {
    case 0:
      return x ** gamma;
    case 1:
      return x >= -parameter(2) / parameter(1) ? (parameter(1) * x + parameter(2)) ** gamma : 0;
    case 2:
      return (
        parameter(3) + (x >= -parameter(2) / parameter(1) ? (parameter(1) * x + parameter(2)) ** gamma : 0)
      );
    case 3:
      return x >= parameter(4) ? (parameter(1) * x + parameter(2)) ** gamma : parameter(3) * x;
    case 4:
      return x >= parameter(4)
        ? (parameter(1) * x + parameter(2)) ** gamma + parameter(5)
        : parameter(3) * x + parameter(6);
    default:
      return NaN;
  }
}

const isSrgbCurve = (curve: Buffer | null): boolean =>
  curve !== null && SRGB_CURVE.every(([x, y]) => Math.abs(curveAt(curve, x) - y) < CURVE_TOLERANCE);

/**
 * True where an ICC profile describes sRGB, or grey with sRGB's curve, whatever it is called: pixel values are then
 * taken as they stand, as a colour transform would only add rounding. False for what cannot be read.
 */
export function isSrgbProfile(icc: Buffer): boolean {
  try {
    const space = icc.toString('latin1', 16, 20);
    if (space === 'GRAY') return isSrgbCurve(tag(icc, 'kTRC'));
    if (space !== 'RGB ') return false;
    const colorants = Object.entries(SRGB_COLORANTS).every(([name, expected]) => {
      const found = tag(icc, name);
      return (
        found !== null &&
        expected.every((value, i) => Math.abs(fixed(found, 8 + 4 * i) - value) < COLORANT_TOLERANCE)
      );
    });
    // A profile with a table (A2B0) is transformed by that, not by its colorants.
    return (
      colorants &&
      tag(icc, 'A2B0') === null &&
      ['rTRC', 'gTRC', 'bTRC'].every((n) => isSrgbCurve(tag(icc, n)))
    );
  } catch {
    return false;
  }
}
