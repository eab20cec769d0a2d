/** Getting a model in the form of the config node, before any deploy, in a real browser. */
import assert from 'node:assert/strict';
import { type FlowNode, NodeRed } from '../support/node-red.ts';
import { answerStatus, CHECKPOINT, Hub, MODEL_ID } from '../store/support/hub.ts';
import type { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';
import { blemishes } from './inspect.ts';

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'Flow 1' },
  { id: 'model', type: 'm2fp-model', name: '', source: 'bundled', configVersion: 2 },
  { id: 'infer', type: 'm2fp-infer', z: 'tab', x: 200, y: 100, wires: [[], []], model: 'model' },
];

describe('the download in the form of the model', function () {
  this.timeout(240_000);
  let hub: Hub;
  let editor: Editor;
  /** Sends the rest of the checkpoint. */
  let letGo: (() => void) | undefined;

  before(async () => {
    hub = await new Hub().open();
  });
  withEditor(
    'download',
    () => NodeRed.start('node-red', FLOW),
    (open) => ({ editor } = open),
  );
  after(() => hub?.close());

  const field = (name: string) => editor.page.locator(`#node-config-input-${name}`);
  const about = () => editor.page.getByRole('group', { name: 'About this model' });
  const button = (name: string) => about().getByRole('button', { name, exact: true });
  const row = (title: string, text: RegExp) =>
    about().locator('dt', { hasText: title }).locator('+ dd', { hasText: text }).waitFor();
  /** Enters the model of the hub. */
  const choose = async (): Promise<void> => {
    await field('source').selectOption('modelscope');
    await field('modelId').fill(MODEL_ID);
    await field('baseUrl').fill(hub.url);
    await row('On disk', /^not downloaded yet$/);
  };
  /** The next download of the checkpoint stands still in its middle. */
  const hold = (): void => {
    hub.next(CHECKPOINT, (_request, response, bytes) => {
      const half = Math.floor(bytes.length / 2);
      response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, half));
      letGo = () => response.end(bytes.subarray(half));
    });
  };

  it('says why it failed, and what to do', async () => {
    hub.next('list', answerStatus(403));
    await editor.editConfig('model', async () => {
      await choose();
      await button('Download now').click();
      await about()
        .getByRole('alert')
        .filter({ hasText: /403.*What has arrived is kept/ })
        .waitFor();
      await button('Download now').waitFor();
      await editor.screenshot('download refused');
      await field('source').selectOption('bundled');
      await row('Model', /^m2fp-demo$/);
      assert.equal((await about().getByRole('alert').allInnerTexts()).join(''), '');
    });
  });

  it('says that Node-RED does not answer, and goes on by itself when it is back', async () => {
    hold();
    const { page } = editor;
    await editor.editConfig('model', async () => {
      await choose();
      await button('Download now').click();
      const amount = about().getByText(/\d MB of \d MB downloaded/);
      await amount.waitFor();
      let answers: 'none' | 'unknown' | 'all' = 'none';
      await page.route('**/m2fp/downloads/*', async (route) => {
        if (answers === 'none') return route.abort();
        if (answers === 'all') return route.continue();
        answers = 'all';
        return route.fulfill({ body: 'null', contentType: 'application/json' });
      });
      await about().getByText('Node-RED does not answer').waitFor({ timeout: 5000 });
      assert.equal(await amount.count(), 0);
      await editor.screenshot('download lost');
      answers = 'all';
      await amount.waitFor();
      answers = 'none';
      await about().getByText('Node-RED does not answer').waitFor({ timeout: 5000 });
      // One that was started anew knows of no download.
      answers = 'unknown';
      await about()
        .getByText(/Node-RED is back: the download goes on from \d MB/)
        .waitFor();
      await button('Cancel').click();
      await about().getByText('Cancelled. What has arrived is kept').waitFor();
      await page.unrouteAll();
    });
    // The browser itself writes about answers that did not come.
    const others = editor.complaints.splice(0).filter((complaint) => !complaint.includes('ERR_FAILED'));
    assert.deepEqual(others, []);
  });

  it('shows how far it has come, is cancelled, and is found again by another form and page', async () => {
    hold();
    await editor.editConfig('model', async () => {
      await choose();
      await button('Download now').click();
      await about()
        .getByText(/\d MB of \d MB downloaded/)
        .waitFor();
      await about().getByRole('progressbar', { name: 'Download of the model' }).waitFor();
      assert.deepEqual(await blemishes(about()), []);
      await editor.screenshot('download half');
      await button('Cancel').click();
      await about().getByText('Cancelled. What has arrived is kept').waitFor();
      await button('Download now').waitFor();

      // What is downloaded of this choice is nothing of another one.
      hold();
      hub.ranges = false;
      await button('Download now').click();
      await about()
        .getByText(/\d MB of \d MB downloaded/)
        .waitFor();
      await field('revision').fill('v9');
      await about().getByRole('progressbar').waitFor({ state: 'hidden' });
      await field('revision').fill('');
      await about()
        .getByText(/\d MB of \d MB downloaded/)
        .waitFor();
    });
    // Saved, but not deployed.
    await editor.editConfig('model', async () => {
      await about()
        .getByText(/\d MB of \d MB downloaded/)
        .waitFor();
      await button('Cancel').waitFor();
    });
    editor.page.once('dialog', (dialog) => void dialog.accept());
    await editor.reload();
    await editor.editConfig('model', async () => {
      await row('Model', /^m2fp-demo$/);
      await about().getByRole('progressbar').waitFor({ state: 'hidden' });
      await choose();
      await about()
        .getByText(/\d MB of \d MB downloaded/)
        .waitFor();
      letGo!();
      await about().getByText('The model is on this machine now').waitFor({ timeout: 90_000 });
      await row('On disk', /^\d+ MB$/);
      await row('Deployed', /^not deployed: another model runs, m2fp-demo/);
      assert.equal(await button('Download now').isVisible(), false);
      await editor.screenshot('download done');
    });
  });

  it('is there when the form is deployed: the state is that of this choice only', async () => {
    await editor.deploy();
    await editor.editConfig('model', async () => {
      await row('Deployed', /^not loaded$/);
      assert.ok(await button('Check').isEnabled());
      await field('precision').selectOption('fp16');
      await row('Deployed', /^not deployed: another variant of iic\/\S+ runs \(master, fp32\)/);
      assert.ok(await button('Check').isDisabled());
      await field('precision').selectOption('fp32');
      await row('Deployed', /^not loaded$/);
    });
    assert.equal(hub.of(CHECKPOINT).length, 3);
  });
});
