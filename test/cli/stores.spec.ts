/** How a model is named on the command line. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProgressBar } from '../../src/cli/progress.ts';
import { folderOfModel } from '../../src/cli/stores.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { convertLocal, localCheckpoint } from '../../src/store/local.ts';
import { openStore } from '../../src/store/store.ts';
import { goldenFolder } from '../support/golden.ts';

describe('a model on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'm2fp-cli-stores-'));
  after(() => rmSync(folder, { recursive: true }));

  const found = (model: string) =>
    folderOfModel(model, openStore(join(folder, 'store')), new ProgressBar(process.stderr));

  for (const name of ['bundled', 'm2fp-demo']) {
    it(`is the one that ships with the package where it is called ${name}`, async () => {
      assert.equal(await found(name), bundledModelFolder());
    });
  }

  it('is found in the store by an id with letters of any script', async () => {
    const store = openStore(join(folder, 'store'));
    const source = join(folder, '模型一');
    cpSync(goldenFolder('single'), source, { recursive: true });
    const checkpoint = await localCheckpoint(source, store.root);
    const made = await convertLocal(checkpoint!, { tools: { convert: convertCheckpoint } });
    assert.equal(await found('local/模型一'), made.folder);
  });

  it('is a folder of such a name where it is given as a path', async () => {
    const path = join(folder, 'bundled');
    mkdirSync(path);
    assert.equal(await found(path), path);
  });
});
