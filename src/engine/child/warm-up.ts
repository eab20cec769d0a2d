/** The picture that makes a new session quick: its first run sets up what later ones find. */
import { loadSharp } from '../../image/sharp.ts';
import type { InputRule } from '../../m2fp/manifest.ts';

/** The longer side of a usual picture, by its shorter. */
const ASPECT = 1.5;

/** A grey picture, encoded, that comes out at the model's usual size. */
export async function blankImage(rule: InputRule): Promise<Buffer> {
  const sharp = await loadSharp();
  return sharp({ create: { ...usualSize(rule), channels: 3, background: '#808080' } })
    .png()
    .toBuffer();
}

function usualSize(rule: InputRule): { width: number; height: number } {
  if (rule.kind === 'canvas') return { width: rule.width, height: rule.height };
  const { shortSide, longSide } = rule;
  return { width: Math.max(1, Math.round(Math.min(shortSide * ASPECT, longSide))), height: shortSide };
}
