/** The packed package in the editor of a fresh Node-RED, as a user meets it. */
import assert from 'node:assert/strict';
import packageJson from '../../package.json' with { type: 'json' };
import { NodeRed, VERSIONS } from '../support/node-red.ts';
import { Editor } from './editor.ts';

const TYPES = Object.keys(packageJson['node-red'].nodes);
const IN_PALETTE = TYPES.filter((type) => type !== 'm2fp-model');

for (const version of VERSIONS) {
  describe(`the editor (${version})`, function () {
    this.timeout(120_000);
    // Each test goes on where the one before left the editor.
    this.bail(true);
    let nodeRed: NodeRed;
    let editor: Editor;
    const tabs: Record<string, string> = {};

    before(async () => {
      nodeRed = await NodeRed.start(version, [{ id: 'first-tab', type: 'tab', label: 'Flow 1' }]);
      editor = await Editor.open(nodeRed.url);
    });
    after(async () => {
      await editor?.close();
      await nodeRed?.stop();
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await editor.screenshot(`${version} failed`);
      assert.deepEqual(editor.complaints.splice(0), []);
    });

    it('shows our nodes in the palette, with their names', async () => {
      for (const type of IN_PALETTE) {
        const entry = editor.page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
        assert.match(await entry.innerText(), /^[\w ]+$/, type);
      }
    });

    it('imports every example without an unknown or invalid node', async () => {
      for (const name of ['1 First picture', '2 HTTP API', '3 Parts']) {
        tabs[name] = await editor.importExample(name);
        await editor.screenshot(`${version} example ${name}`);
      }
      const { page } = editor;
      assert.equal(
        await page
          .locator('.red-ui-flow-node-changed.red-ui-flow-node-unknown, .red-ui-notification-warning')
          .count(),
        0,
      );
      const kinds = await page.evaluate(() => {
        const invalid = document.querySelectorAll('.red-ui-flow-node-error:not(.hide)').length;
        const nodes = RED.nodes.createCompleteNodeSet();
        return { types: nodes.map(({ type }) => type), invalid };
      });
      assert.ok(!kinds.types.includes('unknown'));
      assert.deepEqual(
        TYPES.filter((type) => !kinds.types.includes(type)),
        [],
      );
      await editor.deploy();
    });

    it('shows the coloured picture after a press on the inject button', async () => {
      const tab = tabs['1 First picture']!;
      await editor.showTab(tab);
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
      assert.deepEqual(sizes, [
        [224, 224],
        [224, 224],
      ]);
      await editor.screenshot(`${version} page`, page);
      await page.close();
    });

    it('opens and saves the form of every node', async () => {
      const where = {
        'm2fp-infer': '1 First picture',
        'm2fp-colorize': '1 First picture',
        'm2fp-load': '3 Parts',
        'm2fp-preprocess': '3 Parts',
        'm2fp-crop': '3 Parts',
      };
      assert.deepEqual(Object.keys(where).toSorted(), IN_PALETTE.toSorted());
      for (const [type, name] of Object.entries(where)) {
        const tab = tabs[name]!;
        await editor.showTab(tab);
        await editor.editNode(await editor.nodeOn(tab, type), async (page) => {
          const labels = await page.locator('#dialog-form label:visible').allInnerTexts();
          assert.ok(labels.length > 1, type);
          assert.deepEqual(
            labels.filter((label) => /m2fp-|\./.test(label)),
            [],
            `${type}: texts that are missing`,
          );
          await editor.screenshot(`${version} form ${type}`);
        });
      }
    });

    it('opens and saves the form of the model', async () => {
      const tab = tabs['1 First picture']!;
      await editor.showTab(tab);
      await editor.editNode(await editor.nodeOn(tab, 'm2fp-infer'), async (page) => {
        await page.locator('#node-input-lookup-model, #node-input-btn-model-edit').first().click();
        await page.waitForSelector('#node-config-dialog-ok');
        await page.waitForSelector('#node-config-input-source');
        await editor.screenshot(`${version} form m2fp-model`);
        await page.locator('#node-config-dialog-ok').click();
        await page.waitForSelector('#node-config-dialog-ok', { state: 'detached' });
      });
    });
  });
}

describe('the editor in Chinese', function () {
  this.timeout(60_000);

  it('shows our nodes by their Chinese names', async () => {
    const nodeRed = await NodeRed.start('node-red', [{ id: 'first-tab', type: 'tab', label: 'Flow 1' }]);
    try {
      const editor = await Editor.open(nodeRed.url, 'zh-CN');
      try {
        for (const type of ['m2fp-load', 'm2fp-preprocess', 'm2fp-colorize', 'm2fp-crop']) {
          const name = await editor.page
            .locator(`.red-ui-palette-node[data-palette-type="${type}"]`)
            .innerText();
          assert.match(name, /[\u4e00-\u9fff]/, `${type}: ${name}`);
        }
        await editor.screenshot('zh-CN');
        assert.deepEqual(editor.complaints, []);
      } finally {
        await editor.close();
      }
    } finally {
      await nodeRed.stop();
    }
  });
});
