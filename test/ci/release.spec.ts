/** The steps of a release: whether it is due, what is sent out, and the catalogue, which may fail without harm. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { refresh } from '../../tools/ci/refresh-catalogue.ts';
import { checksums, due, notes, publishedVersions, withBundled } from '../../tools/ci/release.ts';
import { temporaryFolder } from '../support/installed-package.ts';

const NAME = '@a/b';

describe('a release', () => {
  it('is due when npm has the package, but not this version', () => {
    assert.equal(due(['0.1.0'], '0.2.0').due, true);
    assert.equal(due(['0.1.0', '0.2.0'], '0.2.0').due, false);
    const first = due(undefined, '0.1.0');
    assert.equal(first.due, false);
    assert.match(first.why, /by hand, see CONTRIBUTING\.md/);
  });

  it('tells what the changelog says of its version, and nothing else', () => {
    const log =
      '# Changelog\n\nHead\n\n## 0.2.0\n\n### Minor Changes\n\n- b\n\n## [0.1.0] - 2026-12-01\n\n- a\n';
    assert.equal(notes(log, '0.2.0'), '### Minor Changes\n\n- b');
    assert.equal(notes(log, '0.1.0'), '- a');
    assert.throws(() => notes(log, '0.3.0'), /no section for 0\.3\.0/);
  });

  it('has a checksum of each file, as sha256sum writes them', () => {
    const folder = temporaryFolder('sums');
    for (const [file, content] of [
      ['b.tgz', 'bb'],
      ['a.json', 'a'],
      ['SHA256SUMS', 'old'],
    ] as const)
      writeFileSync(join(folder, file), content);
    const sum = (content: string): string => createHash('sha256').update(content).digest('hex');
    assert.equal(checksums(folder), `${sum('a')}  a.json\n${sum('bb')}  b.tgz\n`);
  });

  it('lists what is bundled beside what is installed', () => {
    const bom = {
      metadata: { component: { name: 'some-folder', type: 'library' } },
      components: [{ name: 'sharp' }],
    };
    const all = withBundled(bom, NAME, [
      { name: '@c/d', version: '1.0.0', license: 'MIT' },
      { name: 'e', version: '2.0.0', license: '(MIT OR ISC)' },
    ]);
    assert.equal(all.metadata.component.name, NAME);
    const [, d, e] = all.components as [object, Record<string, unknown>, Record<string, unknown>];
    assert.equal(d['purl'], 'pkg:npm/%40c/d@1.0.0');
    assert.deepEqual(d['licenses'], [{ license: { id: 'MIT' } }]);
    assert.deepEqual(e['licenses'], [{ expression: '(MIT OR ISC)' }]);
  });
});

describe('the refresh of the catalogue', () => {
  let server: Server;
  let address: string;
  /** What the registry has at the first, the second ... look. */
  let versions: string[][];
  let posted: { cookie: string | undefined; body: string }[];
  let form: string;
  let status: number;

  async function answer(
    request: IncomingMessage,
  ): Promise<{ code: number; head?: Record<string, string>; body: string }> {
    if (request.url === '/@a%2fb') {
      const now = (versions.length > 1 ? versions.shift() : versions[0])!;
      return { code: 200, body: JSON.stringify({ versions: Object.fromEntries(now.map((v) => [v, {}])) }) };
    }
    if (request.url !== '/add/node') return { code: 404, body: '{}' };
    if (request.method === 'GET')
      return { code: 200, head: { 'set-cookie': '_csrf=secret; Path=/' }, body: form };
    posted.push({ cookie: request.headers.cookie, body: await text(request) });
    return { code: status, body: 'no such module' };
  }

  beforeEach(async () => {
    versions = [['0.1.0'], ['0.1.0', '0.2.0']];
    posted = [];
    form = '<form><input type="hidden" name="_csrf" value="tok/en="></form>';
    status = 200;
    server = createServer((request, response) => {
      void answer(request).then(({ code, head, body }) => response.writeHead(code, head).end(body));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => server.close());

  const run = (more: { patience?: number } = {}): Promise<void> =>
    refresh({
      name: NAME,
      version: '0.2.0',
      registry: address,
      catalogue: address,
      pause: 5,
      patience: 10_000,
      ...more,
    });

  it('waits until npm has the version, then sends the form with its token and cookie', async () => {
    await run();
    assert.deepEqual(posted, [{ cookie: '_csrf=secret', body: '_csrf=tok%2Fen%3D&module=%40a%2Fb' }]);
  });

  it('gives up where npm does not get it', async () => {
    versions = [['0.1.0']];
    await assert.rejects(run({ patience: 20 }), /npm does not show @a\/b 0\.2\.0 yet/);
    assert.deepEqual(posted, []);
  });

  it('says what the catalogue answers', async () => {
    status = 400;
    await assert.rejects(run(), /answers 400: no such module/);
    form = '<p>We are moving</p>';
    await assert.rejects(run(), /without a form/);
  });

  it('tells a package that npm does not know from a registry that is broken', async () => {
    assert.equal(await publishedVersions(address, '@a/unknown'), undefined);
    assert.deepEqual(await publishedVersions(address, NAME), ['0.1.0']);
  });
});
