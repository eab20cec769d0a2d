/** Every node's form: old flows open with the defaults, wrong values are marked, and what was saved comes back. */
import assert from 'node:assert/strict';
import packageJson from '../../package.json' with { type: 'json' };
import { type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import type { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';

const TAB = 'first-tab';
/** The types without their prefix are the ids. */
const IDS = Object.keys(packageJson['node-red'].nodes).map((type) => type.replace('m2fp-', ''));
/** As a flow has them that was made before the nodes got most of their properties. */
const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  ...IDS.map((id, index) => ({
    id,
    type: `m2fp-${id}`,
    name: '',
    configVersion: 1,
    ...(id === 'model'
      ? { source: 'bundled' }
      : { z: TAB, x: 200, y: 60 + 60 * index, wires: [], model: 'model' }),
    ...(id === 'load' && { action: 'load' }),
    ...(id === 'preview' && { active: true }),
  })),
];

/** A wrong value for a field of each node that has one. */
const WRONG: Record<string, [field: string, value: string]> = {
  model: ['threads', '-1'],
  camera: ['timeout', '0'],
  preprocess: ['picture', 'a[b'],
  infer: ['scoreThreshold', '7'],
  colorize: ['opacity', '7'],
  crop: ['minScore', '7'],
  mask: ['hands', '77'],
  describe: ['minScore', '7'],
  redact: ['cells', '99'],
  export: ['iou', '7'],
  preview: ['size', '999'],
  request: ['maxBody', '0'],
  jobs: ['inFlight', '0'],
};

for (const version of VERSIONS) {
  describe(`every form (${version})`, function () {
    this.timeout(120_000);
    let editor: Editor;

    withEditor(
      `${version} every form`,
      () => NodeRed.start(version, FLOW),
      (open) => ({ editor } = open),
    );

    const edit = (id: string, look: () => Promise<void>) =>
      id === 'model' ? editor.editConfig(id, look) : editor.editNode(id, look);
    const isChanged = (id: string) =>
      editor.page.evaluate((node) => RED.nodes.node(node)?.['changed'] === true, id);
    const isValid = (id: string) => editor.page.evaluate((node) => RED.nodes.node(node)?.valid, id);
    /** What the node's definition names, as it is stored. */
    const stored = (id: string) =>
      editor.page.evaluate((at) => {
        const node = RED.nodes.node(at)!;
        return Object.keys(RED.nodes.getType(node.type)!.defaults).map(
          (name) => [name, String(node[name])] as const,
        );
      }, id);

    for (const id of IDS) {
      it(`opens ${id} on a flow of an older version, and saves the defaults of what that lacks`, async () => {
        await edit(id, async () => {
          assert.equal(await editor.form.locator('.input-error').count(), 0);
        });
        const missing = (await stored(id)).filter(([, value]) => value === 'undefined');
        assert.deepEqual(missing, []);
        assert.equal(await isValid(id), true);
      });
    }

    it('is deployed with them', () => editor.deploy());

    for (const id of IDS) {
      it(`comes back as it was, and leaves ${id} unchanged where nothing is changed`, async () => {
        const before = await stored(id);
        await edit(id, async () => {});
        assert.deepEqual(await stored(id), before);
        assert.equal(await isChanged(id), false);
      });
    }

    for (const [id, [name, value]] of Object.entries(WRONG)) {
      it(`marks a wrong value of ${id}, in the form and on the canvas`, async () => {
        const prefix = id === 'model' ? 'node-config-input' : 'node-input';
        const has = editor.page.locator(`#${prefix}-${name}`);
        const row = editor.form.locator('.form-row', { has });
        const entry = row.locator('input.red-ui-typedInput-input, input:visible').first();
        await edit(id, async () => {
          for (const summary of await editor.form.locator('summary').all()) await summary.click();
          await entry.fill(value);
          await entry.press('Tab');
          await row.locator('.input-error:visible').first().waitFor();
        });
        assert.equal(await isValid(id), false);
        await edit(id, async () => {
          await row.locator('.input-error:visible').first().waitFor();
        });
        // What the form of the model asks about wrong values is refused, of which the browser itself writes.
        const refused = editor.complaints.splice(0);
        assert.ok(
          refused.every((complaint) => /400 .*models\/estimate/.test(complaint)),
          refused.join(),
        );
      });
    }
  });
}
