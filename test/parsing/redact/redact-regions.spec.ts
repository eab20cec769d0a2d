import assert from 'node:assert/strict';
import sharp from 'sharp';
import { redactRegions, type RedactionStyle } from '../../../src/parsing/redact/redact-regions.ts';
import { drawOverlays, pictureOverlay, symbolOverlay } from '../../../src/parsing/redact/overlay.ts';
import { REDACT_OPTIONS } from '../../../src/parsing/redact/redact-options.ts';

const SIDE = 16;

const blue = () =>
  sharp({ create: { width: 2, height: 2, channels: 3, background: '#0000ff' } })
    .png()
    .toBuffer();

/** What a checkerboard, all of it one region, looks like afterwards. */
async function drawnWith(method: RedactionStyle['method']): Promise<Buffer> {
  const data = Buffer.alloc(SIDE * SIDE * 4, 255);
  for (let p = 0; p < SIDE * SIDE; p++) {
    if ((p + Math.floor(p / SIDE)) % 3 === 0) data.fill(p % 200, 4 * p, 4 * p + 3);
  }
  const regions = {
    owners: new Uint16Array(SIDE * SIDE).fill(1),
    boxes: [{ x: 0, y: 0, width: SIDE, height: SIDE }],
  };
  const image = { width: SIDE, height: SIDE, channels: 4 as const, data };
  await redactRegions(image, regions, { method, cells: 6, color: [200, 0, 0] });
  if (method === 'symbol') await drawOverlays(image, regions, symbolOverlay('smile'), false);
  if (method === 'picture') await drawOverlays(image, regions, await pictureOverlay(await blue()), false);
  return data;
}

describe('the ways to redact', () => {
  it('are as many as the form offers: none stands in for another', async () => {
    const methods = REDACT_OPTIONS.method.form.choices as readonly RedactionStyle['method'][];
    const drawn = await Promise.all(methods.map(drawnWith));
    assert.equal(new Set(drawn.map((data) => data.toString('base64'))).size, methods.length);
  });

  it('do not blur for a method that nobody has written', async () => {
    await assert.rejects(drawnWith('stars' as RedactionStyle['method']), /stars/);
  });
});
