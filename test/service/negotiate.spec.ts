/** What `Accept` chooses. */
import assert from 'node:assert/strict';
import { negotiate } from '../../src/service/negotiate.ts';

describe('the format that is negotiated', () => {
  const TAKEN: [accept: string, format: string][] = [
    ['application/json; charset=utf-8', 'json'],
    ['application/json;charset="utf-8"', 'json'],
    ['application/json; indent=2', 'json'],
    ['application/json; odata=verbose, image/png;q=0.1', 'json'],
    ['application/json;profile="a,b";q=0.3, image/webp;q=0.2', 'json'],
    ['application/json;profile="a;q=0.1,\\"b";q=0.3, image/webp;q=0.2', 'json'],
    ['application/json;charset=utf-8;q=0.1, image/webp;q=0.2', 'webp'],
    ['image/png; level=1', 'png'],
    ['multipart/mixed; boundary=x', 'multipart'],
    ['text/html, application/xhtml+xml, */*;version=b3;q=0.8', 'json'],
  ];
  for (const [accept, format] of TAKEN) {
    it(`is ${format} for ${accept}`, () => assert.equal(negotiate(accept, {}), format));
  }

  it('is none that is ruled out, whatever parameters it has', () => {
    assert.throws(() => negotiate('application/json;charset=utf-8;q=0', {}), { code: 'M2FP_NOT_ACCEPTABLE' });
  });
});
