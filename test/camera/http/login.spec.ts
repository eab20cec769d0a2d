import assert from 'node:assert/strict';
import { readChallenges } from '../../../src/camera/http/challenge.ts';
import { answerDigest, digestStrength } from '../../../src/camera/http/digest.ts';
import { Login } from '../../../src/camera/http/login.ts';

/** Of RFC 7616, section 3.9.1. */
const EXAMPLE = {
  realm: 'http-auth@example.org',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
  qop: 'auth, auth-int',
};
const REQUEST = {
  method: 'GET',
  uri: '/dir/index.html',
  user: 'Mufasa',
  password: 'Circle of Life',
  count: 1,
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};

const responseOf = (header: string): string | undefined => /response="(\w+)"/.exec(header)?.[1];

describe('readChallenges', () => {
  it('reads several out of one header', () => {
    const header =
      'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple", Negotiate abc==, Digest realm = x,nonce="1,2"';
    assert.deepEqual(readChallenges(header), [
      { scheme: 'newauth', parameters: { realm: 'apps', type: '1', title: 'Login to "apps"' } },
      { scheme: 'basic', parameters: { realm: 'simple' } },
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'digest', parameters: { realm: 'x', nonce: '1,2' } },
    ]);
  });

  it('reads a scheme without parameters, and stops at what makes no sense', () => {
    assert.deepEqual(readChallenges('Basic'), [{ scheme: 'basic', parameters: {} }]);
    assert.deepEqual(readChallenges(''), []);
    assert.deepEqual(readChallenges('"unbalanced'), []);
    assert.ok(readChallenges(`Digest ${'a=b,'.repeat(100_000)}`).length <= 2);
  });
});

describe('answerDigest', () => {
  it('answers as the examples of RFC 7616 do', () => {
    const answer = (algorithm: string): string | undefined =>
      responseOf(answerDigest({ scheme: 'digest', parameters: { ...EXAMPLE, algorithm } }, REQUEST));
    assert.equal(answer('MD5'), '8ca523f5e9506fed4657c9700eebdbec');
    assert.equal(answer('SHA-256'), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
  });

  it('hashes the user name where the server wants that', () => {
    // Of RFC 7616, section 3.9.2, with erratum 4897.
    const header = answerDigest(
      {
        scheme: 'digest',
        parameters: {
          realm: 'api@example.org',
          qop: 'auth',
          algorithm: 'SHA-512-256',
          nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
          opaque: 'HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS',
          userhash: 'true',
        },
      },
      {
        method: 'GET',
        uri: '/doe.json',
        user: 'J\u{e4}s\u{f8}n Doe',
        password: 'Secret, or not?',
        count: 1,
        cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm',
      },
    );
    assert.match(header, /username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"/);
    assert.match(header, /userhash=true/);
  });

  it('answers servers of RFC 2069, which have no qop', () => {
    const header = answerDigest({ scheme: 'digest', parameters: { realm: 'r', nonce: 'n' } }, REQUEST);
    assert.doesNotMatch(header, /qop|nc=/);
  });

  it('knows which challenges it can answer', () => {
    const strength = (parameters: Record<string, string>): number =>
      digestStrength({ scheme: 'digest', parameters: { nonce: 'n', ...parameters } });
    assert.ok(strength({ algorithm: 'SHA-256' }) > strength({ algorithm: 'MD5-sess' }));
    assert.ok(strength({}) > 0);
    assert.equal(strength({ algorithm: 'SHA-1' }), 0);
    assert.equal(strength({ qop: 'auth-int' }), 0);
  });
});

describe('Login', () => {
  const account = { user: 'anna', password: 'pass word' };

  it('sends nothing before it is asked, then what the server wants', () => {
    const login = new Login(account);
    assert.equal(login.header('GET', '/'), undefined);
    assert.equal(login.learn('Basic realm="x"', false), true);
    assert.equal(login.header('GET', '/'), `Basic ${Buffer.from('anna:pass word').toString('base64')}`);
  });

  it('prefers digest to basic, and the stronger digest', () => {
    const login = new Login(account);
    login.learn(
      'Basic realm="x", Digest realm="x", nonce="1", Digest realm="x", nonce="2", algorithm=SHA-256',
      false,
    );
    assert.match(login.header('GET', '/')!, /^Digest .*nonce="2".*algorithm=SHA-256/);
  });

  it('does not send the same login twice that was refused, but a new one where the nonce is old', () => {
    const login = new Login(account);
    login.learn('Digest realm="x", nonce="1"', false);
    login.header('GET', '/');
    assert.equal(login.learn('Digest realm="x", nonce="2"', true), false);
    login.learn('Digest realm="x", nonce="3"', false);
    login.header('GET', '/');
    login.header('GET', '/');
    assert.equal(login.learn('Digest realm="x", nonce="4"', true), true);
    login.header('GET', '/');
    assert.equal(login.learn('Digest realm="x", nonce="5", stale=true', true), true);
  });

  it('has nothing to answer without a login', () => {
    assert.equal(new Login({}).learn('Basic realm="x"', false), false);
    assert.equal(new Login({ token: 't' }).learn('Basic realm="x"', true), false);
    assert.equal(new Login({ token: 't' }).header('GET', '/'), 'Bearer t');
  });
});
