/** deploy/make-secrets.sh: what is missing is made, what is there stays, and a name that will not do leaves nothing behind. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, temporaryFolder } from '../../support/installed-package.ts';
import { requireProgram } from '../../support/programs.ts';

const PASSWORDS = [
  'credential_secret',
  'editor_password',
  'grafana_password',
  'mqtt_password',
  'redis_password',
];
const ALL = [...PASSWORDS, 'tls_certificate', 'tls_key'];

describe('make-secrets.sh', () => {
  let folder: string;
  let secrets: string;

  const make = (...args: string[]) =>
    spawnSync('sh', [join(folder, 'make-secrets.sh'), ...args], { encoding: 'utf8' });
  const list = (): string[] => readdirSync(secrets).toSorted();
  const read = (name: string): string => readFileSync(join(secrets, name), 'utf8');

  /** That it refuses, with a line that says what to do. */
  function refused(line: RegExp, ...args: string[]): void {
    const { status, stdout, stderr } = make(...args);
    assert.equal(status, 1, `${args.join(' ')}: ${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, /^[^\n]+\n$/);
    assert.match(stderr, line);
  }

  before(() => requireProgram('openssl', 'openssl'));
  beforeEach(() => {
    folder = temporaryFolder('make-secrets');
    secrets = join(folder, 'secrets');
    mkdirSync(secrets);
    cpSync(join(root, 'deploy/make-secrets.sh'), join(folder, 'make-secrets.sh'));
  });

  it('makes all that is missing, once', () => {
    assert.deepEqual([make('cam.example.org').status, list()], [0, ALL]);
    const first = ALL.map(read);
    for (const password of PASSWORDS) assert.match(read(password), /^[0-9a-f]{48}\n$/);
    assert.equal(make('other.example.org').status, 0);
    assert.deepEqual(ALL.map(read), first);
  });

  for (const [name, entry] of Object.entries({
    '': 'DNS:localhost',
    'cam.example.org': 'DNS:cam.example.org',
    '192.0.2.7': 'IP Address:192.0.2.7',
    '2001:db8::7': 'IP Address:2001:DB8:0:0:0:0:0:7',
    ['a'.repeat(64)]: `DNS:${'a'.repeat(64)}`,
  }))
    it(`makes a certificate for ${name || 'this machine'}, with the key that belongs to it`, () => {
      const { status, stderr } = make(...(name ? [name] : []));
      assert.equal(status, 0, stderr);
      assert.equal(new X509Certificate(read('tls_certificate')).subjectAltName, entry);
      const key = execFileSync('openssl', ['pkey', '-in', join(secrets, 'tls_key'), '-pubout'], {
        encoding: 'utf8',
      });
      const ofCertificate = new X509Certificate(read('tls_certificate')).publicKey;
      assert.equal(ofCertificate.export({ type: 'spki', format: 'pem' }), key);
    });

  it('overwrites no half of a certificate and its key', () => {
    for (const [half, other] of [
      ['tls_certificate', 'tls_key'],
      ['tls_key', 'tls_certificate'],
    ] as const) {
      writeFileSync(join(secrets, half), 'mine');
      writeFileSync(join(secrets, other), '');
      refused(new RegExp(`has a ${half} without its ${other}: .* and start again`), 'cam.example.org');
      assert.deepEqual([list(), read(half)], [['tls_certificate', 'tls_key'], 'mine']);
    }
  });

  it('refuses a name that will not do, and leaves nothing behind', () => {
    refused(/longer than the 64 characters .*: use a shorter name/, `${'a'.repeat(61)}.org`);
    for (const name of ['https://cam.example.org', 'cam/x', 'a b', 'cam,DNS:evil', 'cam\nDNS:x', '[::1]'])
      refused(/plain name or IP address of this machine, as in/, name);
    for (const name of ['300.1.2.3', 'cam.example.org:8443'])
      refused(/openssl makes no certificate for .*: give a name as/, name);
    assert.deepEqual(list(), []);
  });
});
