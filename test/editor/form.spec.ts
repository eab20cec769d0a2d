/** What all forms do when they open, in a real browser. */
import assert from 'node:assert/strict';
import { type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import type { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';

const TAB = 'first-tab';
/** A node from a flow that says nothing of where the result goes. */
const PREPROCESS: FlowNode = {
  id: 'preprocess',
  type: 'm2fp-preprocess',
  z: TAB,
  x: 200,
  y: 100,
  wires: [[]],
  name: '',
  model: 'model',
  picture: 'payload',
  pictureType: 'msg',
  configVersion: 1,
};
const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  { id: 'model', type: 'm2fp-model', name: '', source: 'bundled', threads: 5000, configVersion: 1 },
  PREPROCESS,
];

for (const version of VERSIONS) {
  describe(`the forms (${version})`, function () {
    this.timeout(120_000);
    let editor: Editor;

    withEditor(
      `${version} form`,
      () => NodeRed.start(version, FLOW),
      (open) => ({ editor } = open),
    );

    const property = (name: string) =>
      editor.page.evaluate(([key]) => RED.nodes.node('preprocess')?.[key], [name] as const);

    it('describe the palette category', async () => {
      const text = await editor.page.evaluate(() =>
        RED._('@m2fp/node-red-human-parsing/m2fp-model:m2fp-model.category'),
      );
      assert.match(text, /^Human parsing with M2FP/);
    });

    it('do not mark a node from an older flow', async () => {
      assert.equal(await property('result'), undefined);
      const invalid = await editor.page.evaluate(() => RED.nodes.node('preprocess')?.validationErrors);
      assert.deepEqual(invalid, ['model']);
    });

    it('fill in what an older flow does not have, in fields with names', async () => {
      await editor.editNode('preprocess', async (page) => {
        for (const name of ['Picture', 'Result to']) {
          assert.equal(await page.getByRole('textbox', { name, exact: true }).inputValue(), 'payload');
        }
        await page.getByRole('textbox', { name: 'Result to', exact: true }).fill('input.small');
        await editor.screenshot(`${version} form m2fp-preprocess`);
      });
      assert.equal(await property('result'), 'input.small');
      assert.equal(await property('resultType'), 'msg');
    });

    it('open a section in which something is wrong, and leave it closed where nothing is', async () => {
      await editor.editNode('preprocess', async (page) => {
        await page.locator('#node-input-lookup-model, #node-input-btn-model-edit').first().click();
        const threads = page.locator('#node-config-input-threads');
        await threads.waitFor();
        assert.match((await threads.getAttribute('class')) ?? '', /input-error/);
        await threads.fill('2');
        await page.locator('#node-config-dialog-ok').click();
        await page.waitForSelector('#node-config-dialog-ok', { state: 'detached' });
        await page.locator('#node-input-lookup-model, #node-input-btn-model-edit').first().click();
        await page.waitForSelector('#node-config-input-source');
        assert.equal(await threads.isVisible(), false);
        await page.locator('#node-config-dialog-cancel').click();
        await page.waitForSelector('#node-config-dialog-cancel', { state: 'detached' });
      });
      // Node-RED refuses the deployed model, and the browser writes about every such answer.
      const refused = editor.complaints.splice(0);
      assert.deepEqual(
        refused.filter((complaint) => !complaint.includes('status of 400')),
        [],
      );
    });
  });
}
