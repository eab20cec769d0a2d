import assert from 'node:assert/strict';
import { cameraOptions } from '../../bench/camera/index.ts';
import { benchMotion } from '../../bench/camera/motion.ts';
import { twoPeople } from '../support/images.ts';
import sharp from 'sharp';

describe('the bench of cameras', () => {
  it('measures one and four cameras at two rates, or what is asked for', () => {
    const { cameras, rates } = cameraOptions([]);
    assert.deepEqual(
      [cameras, rates],
      [
        [1, 4],
        [2, 10],
      ],
    );
    const chosen = cameraOptions(['--cameras', '3', '--rate', '5', '--seconds', '7']);
    assert.deepEqual([chosen.cameras, chosen.rates, chosen.seconds], [[3], [5], 7]);
    for (const args of [
      ['--cameras', '0'],
      ['--rate', 'x'],
      ['--speed', '1'],
    ]) {
      assert.throws(() => cameraOptions(args), { code: 'M2FP_BAD_OPTION' });
    }
  });

  it('counts visits of people, and those that no frame shows that went out', async () => {
    const flopped = await sharp(twoPeople).flop().jpeg().toBuffer();
    const pixels = 448 * 448;
    const seen = (image: Buffer, ...ids: number[]) => ({
      image,
      people: ids.map((id) => ({ id, area: pixels / 10 })),
    });
    // The third stands in frames that are all equal: nothing moved, and nothing went out.
    const frames = [
      seen(twoPeople, 1),
      seen(twoPeople, 1, 3),
      seen(flopped, 1, 2),
      seen(flopped, 2),
      seen(twoPeople, 1),
    ];
    const { sent, visits, missed, latest } = await benchMotion('drawn', frames, pixels);
    assert.deepEqual({ sent, visits, missed, latest }, { sent: 3, visits: 4, missed: 1, latest: 0 });
  });
});
