import assert from 'node:assert/strict';
import { createMask, fillIn, shownAddress, shownFile, withServersOnly } from '../../src/camera/secrets.ts';

describe('secrets', () => {
  it('shows of an address what tells nothing', () => {
    for (const [address, shown] of [
      ['rtsp://anna:secret@10.0.0.5:554/h264?token=abc#x', 'rtsp://10.0.0.5:554/h264'],
      ['http://anna:sec{ret@[bad/x?y=1', 'http://[bad/x'],
      ['http://10.0.0.5:8080/img@2x.jpg?mail=a@b', 'http://10.0.0.5:8080/img@2x.jpg'],
      ['http://cam.local/img@2x.jpg', 'http://cam.local/img@2x.jpg'],
      ['http://[::1]:80/a@b', 'http://[::1]:80/a@b'],
      ['rtsp://{user}:{password}@10.0.0.5/x', 'rtsp://10.0.0.5/x'],
      ['/videos/door.mp4', '/videos/door.mp4'],
      ['', ''],
    ] as const) {
      assert.equal(shownAddress(address), shown);
    }
  });

  it('hides a login that is written into an address without being encoded', () => {
    for (const [address, shown] of [
      ['rtsp://admin:1234/Secr@host/cam', 'rtsp://***'],
      ['rtsp://admin:p/Secr6t@10.0.0.5/cam', 'rtsp://***'],
      ['rtsp://admin:p?Secr@10.0.0.5/cam', 'rtsp://***'],
      ['http://admin:S@cret/x@10.0.0.5/cam', 'http://***'],
      ['admin:Secr8t@10.0.0.5/cam?x=y', '10.0.0.5/cam'],
      ['rtsp://us er:S3cr3t@:/%p@10.0.0.5/x', 'rtsp://***'],
      ['rtsp://10.0.0.5/user=admin_password=Secr9t_channel=1.sdp', 'rtsp://10.0.0.5/user=***'],
      ['rtsp://10.0.0.5/u=admin&password=SecrAt&channel=1', 'rtsp://10.0.0.5/u=***'],
      ['http://10.0.0.5/x;apikey=Secret/snap.jpg', 'http://10.0.0.5/x;apikey=***'],
      ['rtsp://10.0.0.5/channel=1/x', 'rtsp://10.0.0.5/channel=1/x'],
    ] as const) {
      assert.equal(shownAddress(address), shown);
    }
    assert.equal(shownFile('admin:Secr8t@10.0.0.5/cam'), '10.0.0.5/cam');
    for (const path of ['C:\\videos\\a@b#1.mp4', '/videos/a@b?.mp4', 'a:b.mp4', 'user=x.mp4']) {
      assert.equal(shownFile(path), path);
    }
  });

  it('fills in what the credentials have, encoded', () => {
    const text = fillIn('http://x/?u={user}&p={password}&t={token}&o={other}', {
      user: 'a b',
      password: '&=/',
    });
    assert.equal(text, 'http://x/?u=a%20b&p=%26%3D%2F&t=&o={other}');
  });

  it('leaves of the addresses in a text their servers', () => {
    assert.equal(
      withServersOnly("open 'rtsp://anna:x@10.0.0.5:554/pass word', tcp://h:9?timeout=0 and rtsp://a:1/b@c"),
      "open 'rtsp://10.0.0.5:554 word', tcp://h:9 and rtsp://***",
    );
  });

  it('hides credentials in any text, as they are and as addresses have them', () => {
    const mask = createMask('rtsp://anna:p%40ss@10.0.0.5/x?sign=xyz123', {
      user: 'bella',
      password: 'p w&1/ü$.*',
      token: 'tok.en',
    });
    const { href } = new URL('http://x/p w&1/ü$.*');
    for (const secret of [
      'p@ss',
      'p%40ss',
      'p%2540ss',
      'xyz123',
      'p w&1/ü$.*',
      encodeURIComponent('p w&1/ü$.*'),
      encodeURIComponent('p w&1/ü$.*').toLowerCase(),
      href.slice('http://x/'.length),
      'p+w%261%2f%C3%BC%24.*',
      'tok.en',
      'tok%2Een',
      'rtsp://10.0.0.5/bella/x',
    ]) {
      assert.ok(!mask(`failed: ${secret} for it`).includes(secret.split('/').at(-2) ?? secret), secret);
    }
    assert.equal(mask('open rtsp://anna:other@10.0.0.5/x?y=z failed'), 'open rtsp://10.0.0.5/x failed');
    assert.equal(mask('plain text'), 'plain text');
  });

  it('hides the parts of a login in the address, which a program reads in its own way', () => {
    const mask = createMask('rtsp://admin:p/Secr6t@10.0.0.5/cam', {});
    assert.equal(mask('resolve admin, open /Secr6t@10.0.0.5/cam'), 'resolve ***, open /***@10.0.0.5/cam');
    assert.equal(mask('administrator'), 'administrator');
  });

  it('shows the address as it was entered where it was filled in, also with a short password', () => {
    const address = 'rtsp://127.0.0.1:9/{user}/{password}.sdp';
    const credentials = { user: 'bo', password: '1' };
    assert.equal(
      createMask(address, credentials)(`${fillIn(address, credentials)} cannot be reached (1 s).`),
      `${address} cannot be reached (1 s).`,
    );
  });
});
