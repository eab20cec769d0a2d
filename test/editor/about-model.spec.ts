/** What the form of the config node tells of its model, in a real browser. */
import assert from 'node:assert/strict';
import { bundled } from '../support/bundled.ts';
import { type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';

const TAB = 'first-tab';
const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  { id: 'model', type: 'm2fp-model', name: '', source: 'bundled', configVersion: 1 },
  { id: 'infer', type: 'm2fp-infer', z: TAB, x: 200, y: 100, wires: [[], []], model: 'model' },
];

for (const version of VERSIONS) {
  describe(`about the model (${version})`, function () {
    this.timeout(120_000);
    let editor: Editor;

    withEditor(
      `${version} about`,
      () => NodeRed.start(version, FLOW),
      (open) => ({ editor } = open),
    );

    const about = () => editor.page.getByRole('group', { name: 'About this model' });
    /** The text of a row, once it matches. */
    const row = (title: string, text: RegExp) =>
      about().locator('dt', { hasText: title }).locator('+ dd', { hasText: text }).waitFor();

    /** Opens the form of the model, and closes it with `close`. */
    const edit = async (look: () => Promise<void>, close: 'ok' | 'cancel' = 'cancel'): Promise<void> => {
      const { page } = editor;
      await editor.editNode('infer', async () => {
        await page.locator('#node-input-lookup-model, #node-input-btn-model-edit').first().click();
        await page.waitForSelector('#node-config-input-source');
        await look();
        await page.locator(`#node-config-dialog-${close}`).click();
        await page.waitForSelector('#node-config-dialog-ok', { state: 'detached' });
      });
    };

    it('is said as soon as the form opens', async () => {
      await edit(async () => {
        await row('Model', /^m2fp-demo$/);
        await row('Labels', /^21: Background, Hat, Hair, .* …$/);
        const { shortSide, longSide } = bundled.input;
        await row('Input', new RegExp(`^shorter side ${shortSide}, longer side up to ${longSide} pixels$`));
        await row('On disk', /^\d MB$/);
        await row(
          'Memory',
          /^about \d+ MB of [\d.]+ GB that are free \(processes: 1, threads of each: \d+\)$/,
        );
        await row('Time', /^about 0\.\d+ s /);
        await row('Deployed', /^not loaded$/);
        await row('Licence', /Apache-2\.0/);
        await editor.screenshot(`${version} about`);
      });
    });

    it('follows the form, before anything is deployed', async () => {
      const { page } = editor;
      await edit(async () => {
        await row('Model', /^m2fp-demo$/);
        await page.locator('#node-config-input-source').selectOption('modelscope');
        assert.ok(!(await about().innerText()).includes('m2fp-demo'), 'the box is cleared at once');
        await row('Model', /^iic\/cv_resnet101_image-multiple-human-parsing$/);
        await row('On disk', /^not downloaded yet$/);
        await row('Memory', /^about \d+ MB|^about [\d.]+ GB/);
        await row('Licence', /read their licence on https:\/\/modelscope\.cn\/models\/iic\//);
        await editor.screenshot(`${version} about modelscope`);
        await page.locator('#node-config-input-source').selectOption('folder');
        await page.locator('#node-config-input-folder').fill('nothing/here');
        await about().getByRole('alert').filter({ hasText: 'nothing' }).waitFor();
      });
      // The browser itself writes about the error answer.
      const [complaint, ...others] = editor.complaints.splice(0);
      assert.match(complaint ?? '', /503/);
      assert.deepEqual(
        others.filter((other) => !other.includes('503')),
        [],
      );
    });

    it('is tried by a press of Check', async () => {
      await edit(async () => {
        await about().getByRole('button', { name: 'Check' }).click();
        const result = about().getByText(/sample picture of/);
        await result.waitFor({ timeout: 60_000 });
        assert.match(
          await result.innerText(),
          /^loaded in [\d.]+ s · sample picture of \d+ × \d+ in [\d.]+ s \(cpu, \d+ threads\) · people: \d+, parts: \d+/,
        );
        await row('Deployed', /^ready · loaded in/);
        await editor.screenshot(`${version} about checked`);
      });
    });
  });
}

describe('about the model, for who may only read', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;

  after(() => nodeRed?.stop());

  it('the form shows what is deployed, and Node-RED refuses the rest', async () => {
    const adminAuth = { type: 'credentials', users: [], default: { permissions: 'read' } };
    nodeRed = await NodeRed.start('node-red', FLOW, { adminAuth });
    const ask = async (path: string, method = 'GET'): Promise<number> =>
      (await fetch(`${nodeRed.url}/m2fp/${path}`, { method })).status;
    assert.equal(await ask('labels'), 200);
    assert.equal(await ask('models/model'), 200);
    assert.equal(await ask('models/model/check', 'POST'), 401);
    assert.equal(await ask('models/estimate', 'POST'), 401);

    const editor = await Editor.open(nodeRed.url);
    try {
      const { page } = editor;
      await page.evaluate(() => RED.editor.edit(RED.nodes.node('infer')));
      await page.locator('#node-input-lookup-model, #node-input-btn-model-edit').first().click();
      const about = page.getByRole('group', { name: 'About this model' });
      await about.locator('dd', { hasText: /^m2fp-demo$/ }).waitFor();
      await about.getByRole('button', { name: 'Check' }).waitFor({ state: 'hidden' });
      assert.equal(await about.getByRole('alert').innerText(), '');
      await about.getByText(/need the permission m2fp-model\.write/).waitFor();
      await editor.screenshot('about read-only');

      // Another choice is not what is deployed, and nothing of that is shown in its name.
      await page.locator('#node-config-input-source').selectOption('modelscope');
      assert.equal(await about.locator('dd').count(), 0);
      await about
        .getByRole('alert')
        .filter({ hasText: /not deployed.*permission m2fp-model\.write/ })
        .waitFor();
      assert.equal(await about.locator('dd').count(), 0);
      await editor.screenshot('about read-only, another choice');
      await page.locator('#node-config-input-source').selectOption('bundled');
      await about.locator('dd', { hasText: /^m2fp-demo$/ }).waitFor();
    } finally {
      await editor.close();
    }
  });

  it('who may not read at all gets nothing', async () => {
    const strict = await NodeRed.start('node-red', FLOW, { adminAuth: { type: 'credentials', users: [] } });
    try {
      for (const path of ['labels', 'models/model'])
        assert.equal((await fetch(`${strict.url}/m2fp/${path}`)).status, 401);
    } finally {
      await strict.stop();
    }
  });
});
