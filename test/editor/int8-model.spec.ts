/** Making a model int8 in the form of the config node: folder, pictures, progress, report, deploy, in a real browser. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quantizeModel } from '../../src/quantize/quantize.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { drawPicture } from '../quantize/support/pictures.ts';
import { goldenFolder } from '../support/golden.ts';
import { type FlowNode, NodeRed } from '../support/node-red.ts';
import type { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';
import { blemishes } from './inspect.ts';

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'Flow 1' },
  { id: 'model', type: 'm2fp-model', name: '', source: 'bundled', configVersion: 2 },
  { id: 'infer', type: 'm2fp-infer', z: 'tab', x: 200, y: 100, wires: [[], []], model: 'model' },
];

/** What was measured: which of both depends on the machine. */
const INT8_HERE = /^(about|not faster than float weights).*([\d.]+ times).* measured/;

describe('int8 in the form of the model', function () {
  this.timeout(240_000);
  let folder = '';
  let editor: Editor;
  let url = '';

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-int8-form-'));
    const source = goldenFolder('multi');
    await convertCheckpoint({ source, out: join(folder, 'float'), shortSide: 64, longSide: 128 });
    await convertCheckpoint({ source, out: join(folder, 'others'), operators: 'grid-sample' });
    mkdirSync(join(folder, 'pictures'));
    writeFileSync(join(folder, 'pictures', 'broken.png'), 'no picture');
    for (let i = 0; i < 10; i++) await drawPicture(join(folder, 'pictures', `${i}.png`), i);
    await quantizeModel({
      model: join(folder, 'float'),
      pictures: join(folder, 'pictures'),
      out: join(folder, 'int8'),
      parts: ['res5'],
    });
  });
  withEditor(
    'int8',
    () => NodeRed.start('node-red', FLOW),
    (open) => {
      editor = open.editor;
      url = open.nodeRed.url;
    },
  );
  after(() => rmSync(folder, { recursive: true }));

  const field = (name: string) => editor.page.locator(`#node-config-input-${name}`);
  const about = () => editor.page.getByRole('group', { name: 'About this model' });
  const button = (name: string) => about().getByRole('button', { name, exact: true });
  const row = (title: string, text: RegExp) =>
    about()
      .locator('dt', { hasText: new RegExp(`^${title}$`) })
      .locator('+ dd', { hasText: text })
      .waitFor({ timeout: 90_000 });

  it('asks for pictures only where they mean something', async () => {
    await editor.editConfig('model', async () => {
      assert.ok(await field('pictures').isHidden());
      await field('source').selectOption('folder');
      assert.ok(await field('pictures').isHidden());
      await field('precision').selectOption('int8');
      await field('pictures').waitFor();
      assert.equal(await field('pictures').getAttribute('placeholder'), 'drawn scenes');
      await editor.page.getByText('Every fifth picture is held back').waitFor();
    });
  });

  it('says what is wrong with the pictures, is cancelled, and is made with a report', async () => {
    await editor.editConfig('model', async () => {
      await field('source').selectOption('folder');
      await field('folder').fill(join(folder, 'float'));
      await row('On disk', /^not made int8 yet$/);
      await field('precision').selectOption('fp32');
      await about().locator('dt', { hasText: 'int8 here' }).waitFor({ state: 'detached' });
      await row('On disk', /^[\d.]+ \wB$/);
      await field('precision').selectOption('int8');
      await field('pictures').fill(join(folder, 'none'));
      await row('On disk', /^not made int8 yet$/);
      await row('int8 here', INT8_HERE);
      await button('Make int8 now').click();
      await about()
        .getByRole('alert')
        .filter({ hasText: /folder of pictures cannot be read/ })
        .waitFor();

      // What was wrong with those of one folder says nothing of another, also to a form that is opened later.
      await field('pictures').fill(join(folder, 'pictures'));
      await about()
        .getByRole('alert')
        .filter({ hasText: /cannot be read/ })
        .waitFor({ state: 'hidden' });
      await row('On disk', /^not made int8 yet$/);
      assert.doesNotMatch(await about().innerText(), /cannot be read/);
      await button('Make int8 now').click();
      await about()
        .getByText(/^making it int8/)
        .waitFor();
      assert.deepEqual(await blemishes(about()), []);
      await button('Cancel').click();
      await button('Make int8 now').waitFor();
      await about().getByText('Cancelled. Nothing of it is kept, and what was there before stays.').waitFor();

      await button('Make int8 now').click();
      // Not with the warnings of the row "int8" once more, in the language of the commands.
      const end = about().getByText(/^The model is on this machine now, ready to be used\.$/);
      await end.waitFor({ timeout: 90_000 });
      await about()
        .getByRole('listitem')
        .filter({ hasText: /^broken\.png was left out: unsupported format: / })
        .waitFor();
      await row(
        'int8',
        /[\d.]+ % of the pixels and [\d.]+ % of the foreground as in fp32, .*times as fast \(pictures: 8, held back: 2\)/,
      );
      await row('Deployed', /^not deployed: another model runs, m2fp-demo/);
      assert.equal(await button('Make int8 now').isVisible(), false);
      assert.deepEqual(await blemishes(about()), []);
      await editor.screenshot('int8 made');
    });
  });

  it('is deployed, tried, and made again with other pictures', async () => {
    await editor.deploy();
    await editor.editConfig('model', async () => {
      await row('Deployed', /^not loaded$/);
      await button('Check').click();
      await row('Check', /sample picture of/);
      await about()
        .getByText(new RegExp(`sample picture of .* · int8: ${INT8_HERE.source.slice(1)}`))
        .waitFor({ timeout: 90_000 });
      rmSync(join(folder, 'pictures', '0.png'));
      await button('Make int8 again').click();
      await about()
        .getByText(
          /^The model was made again\. What is deployed goes on with the former one until you deploy/,
        )
        .waitFor({ timeout: 90_000 });
      await row('int8', /pictures: 8, held back: 1/);
      await row(
        'Deployed',
        /^another model runs than the one on disk, .*: digest [0-9a-f]{12}…\. Restart the flows/,
      );
      await editor.screenshot('int8 again');
    });
  });

  it('runs as it is on disk once the flows were started anew', async () => {
    const headers = { 'content-type': 'application/json', 'node-red-deployment-type': 'reload' };
    const answer = await fetch(`${url}/flows`, { method: 'POST', headers, body: '{}' });
    assert.equal(answer.status, 204);
    await editor.editConfig('model', () => row('Deployed', /^not loaded$/));
  });

  it('is not offered for a model that cannot become int8, and the form says why', async () => {
    await editor.editConfig('model', async () => {
      await field('source').selectOption('folder');
      await field('precision').selectOption('int8');
      await field('folder').fill(join(folder, 'others'));
      const reason = /^No int8 model can be made of this one: it is written for other engines/;
      await about().getByRole('alert').filter({ hasText: reason }).waitFor();
      await row('On disk', /^not made int8 yet$/);
      assert.equal(await button('Make int8 now').isVisible(), false);
      await editor.screenshot('int8 not makable');
      await field('precision').selectOption('fp16');
      await row('On disk', /^[\d.]+ \wB$/);
      assert.doesNotMatch(await about().innerText(), /No int8 model/);

      await field('precision').selectOption('int8');
      await field('folder').fill(join(folder, 'int8'));
      await about()
        .getByText(/^This model is int8 already, and is used as it is\./)
        .waitFor();
      for (const name of ['Make int8 now', 'Make int8 again'])
        assert.equal(await button(name).isVisible(), false);
      await editor.screenshot('int8 already');
    });
  });
});
