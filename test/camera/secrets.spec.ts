import assert from 'node:assert/strict';
import { createMask, fillIn, shownAddress } from '../../src/camera/secrets.ts';

describe('secrets', () => {
  it('shows of an address what tells nothing', () => {
    assert.equal(
      shownAddress('rtsp://anna:secret@10.0.0.5:554/h264?token=abc#x'),
      'rtsp://10.0.0.5:554/h264',
    );
    assert.equal(shownAddress('http://anna:sec{ret@[bad/x?y=1'), 'http://[bad/x');
    assert.equal(shownAddress('/videos/door.mp4'), '/videos/door.mp4');
  });

  it('fills in what the credentials have, encoded', () => {
    const text = fillIn('http://x/?u={user}&p={password}&t={token}&o={other}', {
      user: 'a b',
      password: '&=/',
    });
    assert.equal(text, 'http://x/?u=a%20b&p=%26%3D%2F&t=&o={other}');
  });

  it('hides credentials in any text, as they are and as addresses have them', () => {
    const mask = createMask('rtsp://anna:p%40ss@10.0.0.5/x?sign=xyz123', {
      password: 'p w&1',
      token: 'tok.en',
    });
    for (const secret of ['p@ss', 'p%40ss', 'xyz123', 'p w&1', 'p%20w%261', 'tok.en']) {
      assert.ok(!mask(`failed: ${secret} for it`).includes(secret), secret);
    }
    assert.equal(
      mask('open rtsp://anna:other@10.0.0.5/x?y=z failed'),
      'open rtsp://***@10.0.0.5/x?*** failed',
    );
    assert.equal(mask('plain text'), 'plain text');
  });
});
