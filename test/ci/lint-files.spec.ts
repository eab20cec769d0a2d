/** Each linter finds something in files that are wrong, and nothing in ours. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lintDockerfiles, lintShell, lintWorkflows, shellScripts } from '../../tools/ci/lint-files.ts';
import { root, temporaryFolder } from '../support/installed-package.ts';

/** A folder with these files. */
function folderWith(files: Record<string, string>): string {
  const folder = temporaryFolder('lint');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

describe('the linters of files', () => {
  it('find what is wrong with a workflow, and take runners that are newer than the linter', async () => {
    const folder = folderWith({
      '.github/workflows/a.yml': [
        'on: push',
        'jobs:',
        '  a:',
        '    runs-on: ${{ matrix.os }}',
        '    strategy: { matrix: { os: [ubuntu-24.04-arm, windows-2025, macos-15] } }',
        '    steps:',
        '      - run: echo "${{ github.event.issue.title }}"',
        '  b:',
        '    runs-on: ubuntu-42.04',
        '    needs: c',
        '    steps: [{ run: ls }]',
      ].join('\n'),
    });
    const found = await lintWorkflows(folder);
    assert.equal(found.length, 3, found.join('\n'));
    assert.match(found.join('\n'), /a\.yml:7:.*potentially untrusted/);
    assert.match(found.join('\n'), /needs job "c" which does not exist/);
    assert.match(found.join('\n'), /label "ubuntu-42\.04" is unknown/);
  });

  it('find what is wrong with a Dockerfile', () => {
    const folder = folderWith({
      'deploy/Dockerfile': 'FROM node:24\nMAINTAINER somebody\nCOPPY a b\nCMD a\nCMD b\n',
      'deploy/Dockerfile.dockerignore': 'node_modules\n',
    });
    const found = lintDockerfiles(folder).join('\n');
    assert.match(found, /deploy\/Dockerfile:3:1: Unknown instruction: COPPY/);
    assert.match(found, /:2:1: MAINTAINER/);
    assert.match(found, /only be one CMD/);
    assert.doesNotMatch(found, /dockerignore/);
  });

  it('know a shell script by its name or its first line', () => {
    const folder = folderWith({
      '.ci/run': '#!/usr/bin/env bash\n',
      'deploy/a.sh': 'echo\n',
      'deploy/settings.conf': '#!/bin/sh\n',
      'tools/b': '#!/usr/bin/env node\n',
      'node_modules/c.sh': 'echo\n',
    });
    assert.deepEqual(shellScripts(folder), ['.ci/run', 'deploy/a.sh']);
  });

  it('say how to get shellcheck where it is missing', function () {
    const folder = folderWith({ 'deploy/a.sh': '#!/bin/sh\necho $1\n' });
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      assert.match(lintShell(folder).join(), /^shellcheck is missing: sudo apt-get install shellcheck/);
      if (process.platform === 'win32') return;
      // One that complains as the real one does.
      writeFileSync(join(folder, 'shellcheck'), '#!/bin/sh\necho "$3:2:6: note: Double quote"; exit 1\n');
      chmodSync(join(folder, 'shellcheck'), 0o755);
      assert.deepEqual(lintShell(folder), ['deploy/a.sh:2:6: note: Double quote']);
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('find nothing in ours', async () => {
    assert.deepEqual([...(await lintWorkflows(root)), ...lintDockerfiles(root)], []);
  });
});
