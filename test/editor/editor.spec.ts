/** The packed package in the editor of a fresh Node-RED, as a user meets it. */
import assert from 'node:assert/strict';
import packageJson from '../../package.json' with { type: 'json' };
import { NodeRed, VERSIONS } from '../support/node-red.ts';
import type { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';

const TYPES = Object.keys(packageJson['node-red'].nodes);
const IN_PALETTE = TYPES.filter((type) => type !== 'm2fp-model');

for (const version of VERSIONS) {
  describe(`the editor (${version})`, function () {
    this.timeout(120_000);
    // Each test goes on where the one before left the editor.
    this.bail(true);
    let nodeRed: NodeRed;
    let editor: Editor;

    withEditor(
      version,
      () => NodeRed.start(version, [{ id: 'first-tab', type: 'tab', label: 'Flow 1' }]),
      (open) => ({ nodeRed, editor } = open),
    );

    it('shows our nodes in the palette, with their names', async () => {
      for (const type of IN_PALETTE) {
        const entry = editor.page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
        assert.match(await entry.innerText(), /^M2FP\s[\w\s]*\w$/, type);
      }
    });

    it('shows the coloured picture after a press on the inject button', async () => {
      const tab = await editor.importExample('1 First picture');
      await editor.deploy();
      const inject = await editor.nodeOn(tab, 'inject');
      const colorize = await editor.nodeOn(tab, 'm2fp-colorize');
      await editor.page.locator(`[id="${inject}"] .red-ui-flow-node-button-button`).click();
      await editor.statusOf(colorize, 'green');
      await editor.invoke('core:show-debug-tab');
      await editor.page.waitForSelector('.red-ui-debug-msg');
      await editor.screenshot(`${version} after inject`);

      const page = await editor.page.context().newPage();
      await page.goto(`${nodeRed.url}/m2fp`);
      const sizes = await page.evaluate(() =>
        [...document.images].map((image) => [image.naturalWidth, image.naturalHeight]),
      );
      assert.equal(sizes.length, 2);
      assert.deepEqual(sizes[0], sizes[1]);
      assert.ok(sizes.flat().every((side) => side > 100));
      await editor.screenshot(`${version} page`, page);
      await page.close();
    });
  });
}
