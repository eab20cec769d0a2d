/** What a request asks for. */
import assert from 'node:assert/strict';
import { clientRules } from '../../nodes/m2fp-request/client-rules.ts';
import type { M2fpError } from '../../src/errors.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { contentOf } from '../../src/service/body/content.ts';
import { problemOf } from '../../src/service/problem.ts';
import { orderOf } from '../../src/service/request.ts';
import { twoPeople } from '../support/images.ts';

const order = async (body: string) =>
  orderOf(await contentOf(Buffer.from(body), ''), [], clientRules('flip'), DEFAULT_LIMITS, true);

describe('a picture in JSON', () => {
  it('is what it is as text, or as bytes', async () => {
    for (const image of [twoPeople.toString('base64'), twoPeople, [...twoPeople]]) {
      assert.ok((await order(JSON.stringify(image))).picture.equals(twoPeople));
      const { picture, options } = await order(JSON.stringify({ image, flip: true, view: 'map' }));
      assert.ok(picture.equals(twoPeople));
      assert.deepEqual(options, { flip: true, response: { view: 'map' } });
    }
  });

  for (const body of [
    'null',
    '5',
    'false',
    '[1]',
    '{"0": 1}',
    '{"image": [1]}',
    '{"image": null}',
    '[]',
    '{}',
  ]) {
    it(`is missed, with what to send: ${body}`, async () => {
      await assert.rejects(order(body), (error: M2fpError) => {
        const { status, code, detail } = problemOf(error);
        assert.deepEqual([status, code], [400, 'M2FP_NO_IMAGE'], detail);
        assert.match(detail, /send .*base64.*JSON/i);
        return true;
      });
    });
  }
});
