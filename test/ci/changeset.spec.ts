/** A version is made of the changes that were described, in package.json, lock file and changelog. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { changeset, keepHead } from '../../tools/ci/changeset.ts';
import { root, temporaryFolder } from '../support/installed-package.ts';

describe('a version', function () {
  this.timeout(30_000);

  it('is made of the described changes, and leaves the rest of the files as it was', () => {
    const folder = temporaryFolder('changeset');
    for (const name of ['package.json', 'package-lock.json', 'CHANGELOG.md', '.changeset'])
      cpSync(join(root, name), join(folder, name), { recursive: true });
    writeFileSync(
      join(folder, '.changeset', 'stars.md'),
      `---\n'${packageJson.name}': minor\n---\n\nRedact hides behind stars.\n`,
    );
    execFileSync('git', ['init', '--quiet', '--initial-branch=main'], { cwd: folder });
    const before = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');

    assert.equal(changeset(folder, ['version']), 0);

    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const [major, minor] = packageJson.version.split('.').map(Number) as [number, number];
    const version = `${major}.${minor + 1}.0`;
    assert.equal(
      read('package.json'),
      readFileSync(join(root, 'package.json'), 'utf8').replace(`"${packageJson.version}"`, `"${version}"`),
    );
    const lock = JSON.parse(read('package-lock.json')) as {
      version: string;
      packages: { '': { version: string } };
    };
    assert.deepEqual([lock.version, lock.packages[''].version], [version, version]);
    const changelog = read('CHANGELOG.md');
    const first = before.indexOf('\n## ');
    assert.equal(changelog.slice(0, first), before.slice(0, first), 'the head');
    assert.match(
      changelog.slice(first),
      new RegExp(`^\n## ${version}\n\n.*Minor Changes\n\n- Redact hides behind stars\\.`),
    );
    assert.ok(changelog.trimEnd().endsWith(before.slice(first).trim()), 'what was released before');
    assert.ok(!existsSync(join(folder, '.changeset', 'stars.md')));
  });

  it('leaves a changelog without a head alone', () => {
    assert.equal(keepHead('# Log\n\n## 1\n', '# Log\n\n## 2\n\n## 1\n'), '# Log\n\n## 2\n\n## 1\n');
  });
});
